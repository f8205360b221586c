//! Which part of a set would rather go first.

use smallvec::SmallVec;

use crate::mempool::FeeRate;
use crate::mempool::graph::bits::{Bits, bit, bits};
use crate::mempool::graph::cluster::Member;

/// How children pay for ancestors.
///
/// At a given rate each transaction of a set has a surplus or a debt: its fee less what the rate asks for its size. Whoever
/// has a surplus may pay the debts of its ancestors. When payments have settled all the debts they can, those who are left
/// with a surplus, and all whose payments they could take over, want to go first: with their ancestors they are the closure
/// with the largest surplus. In other words, payments are a largest flow, and the closure is its smallest cut.
///
/// The flow is found as by Dinic: in rounds, each along the shortest ways only, of which there are fewer than places.
pub(super) struct Settlement<'a> {
    members: &'a [Member],
    /// By place, within the set at hand.
    ancestors: SmallVec<[Bits; 64]>,
    /// What is left of each surplus or debt, as a positive number, in satoshis times weight units.
    left: SmallVec<[i128; 64]>,
    /// By debtor, who paid it.
    payers: SmallVec<[Bits; 64]>,
    /// What each paid to each debtor; without meaning where the debtor does not have the payer.
    paid: Vec<i128>,
    with_debt: Bits,
    /// Who has some surplus left.
    rich: Bits,
    /// Who has some debt left.
    poor: Bits,
    layers: SmallVec<[Layer; 8]>,
}

/// How a set parts.
pub(super) enum Parting {
    /// Into what goes first, the smallest closure with the largest surplus, and the rest.
    First(Bits),
    /// No part has a higher rate than the whole: into parts of that same rate, each as small as it can be.
    Balanced(SmallVec<[Bits; 8]>),
}

/// Those with a surplus whose payments are equally many diversions away from somebody who has some left, and the debtors
/// they may pay that none before them may.
#[derive(Clone, Copy)]
struct Layer {
    payers: Bits,
    debtors: Bits,
}

impl<'a> Settlement<'a> {
    pub(super) fn new(members: &'a [Member]) -> Self {
        let count = members.len();
        Self {
            members,
            ancestors: SmallVec::from_elem(0, count),
            left: SmallVec::from_elem(0, count),
            payers: SmallVec::from_elem(0, count),
            paid: vec![0; count * count],
            with_debt: 0,
            rich: 0,
            poor: 0,
            layers: SmallVec::new(),
        }
    }

    /// Parts a set by the rate of its sum, `total`.
    pub(super) fn part(&mut self, set: Bits, total: FeeRate) -> Parting {
        self.open(set, total);
        self.pay_directly();
        while self.rich != 0 {
            let reached = self.layer();
            if self.layers.is_empty() {
                return Parting::First(bits(reached).fold(0, |closure, place| closure | self.ancestors[place]));
            }
            for payer in bits(self.rich) {
                let sent = self.pay(payer, 0, self.left[payer]);
                self.spend(payer, sent);
            }
        }
        // Surpluses and debts have the same sum, so all debts are settled too.
        Parting::Balanced(self.balanced_parts(set))
    }

    /// Surpluses and debts before any payment.
    fn open(&mut self, set: Bits, total: FeeRate) {
        (self.rich, self.with_debt) = (0, 0);
        for place in bits(set) {
            let member = &self.members[place];
            // Fees and sizes of members are bounded, so that nothing here comes near the end of its type.
            let balance = i128::from(member.fee_rate.fee) * i128::from(total.size)
                - i128::from(total.fee) * i128::from(member.fee_rate.size);
            self.ancestors[place] = member.ancestors & set;
            self.payers[place] = 0;
            self.left[place] = balance.abs();
            if balance > 0 {
                self.rich |= bit(place);
            } else if balance < 0 {
                self.with_debt |= bit(place);
            }
        }
        self.poor = self.with_debt;
    }

    /// The first round, in which there is nothing to take over yet.
    fn pay_directly(&mut self) {
        for payer in bits(self.rich) {
            for debtor in bits(self.ancestors[payer] & self.poor) {
                let amount = self.left[payer].min(self.left[debtor]);
                self.record(payer, debtor, amount);
                self.settle(debtor, amount);
                self.spend(payer, amount);
                if self.left[payer] == 0 {
                    break;
                }
            }
        }
    }

    /// Finds the shortest ways from a surplus to a debt. When there is none, there are no layers, and the result is all
    /// those with a surplus who have some left or whose payments could be taken over.
    fn layer(&mut self) -> Bits {
        self.layers.clear();
        let (mut reached, mut debtors_reached) = (self.rich, 0);
        let mut payers = self.rich;
        while payers != 0 {
            let owed = bits(payers).fold(0, |owed, payer| owed | self.ancestors[payer]);
            let debtors = owed & self.with_debt & !debtors_reached;
            if debtors & self.poor != 0 {
                self.layers.push(Layer { payers, debtors: debtors & self.poor });
                return reached;
            }
            self.layers.push(Layer { payers, debtors });
            debtors_reached |= debtors;
            payers = bits(debtors).fold(0, |payers, debtor| payers | self.payers[debtor]) & !reached;
            reached |= payers;
        }
        self.layers.clear();
        reached
    }

    /// Lets a payer of a layer pay up to `amount`: to debts in the last layer, else by taking over payments of the next.
    /// Returns what it could; when that is less, it can do no more in this round.
    fn pay(&mut self, payer: usize, layer: usize, amount: i128) -> i128 {
        let mut sent = 0;
        for debtor in bits(self.ancestors[payer] & self.layers[layer].debtors) {
            let asked = amount - sent;
            let more = if layer + 1 == self.layers.len() {
                let more = self.left[debtor].min(asked);
                self.settle(debtor, more);
                more
            } else {
                self.take_over(debtor, layer + 1, asked)
            };
            if more > 0 {
                self.record(payer, debtor, more);
                sent += more;
            }
            if more == asked {
                break;
            }
            // It is owed nothing more, or nobody else who paid it can pay elsewhere.
            self.layers[layer].debtors &= !bit(debtor);
        }
        sent
    }

    /// Lets those of a layer who paid a debtor pay up to `amount` of it elsewhere.
    fn take_over(&mut self, debtor: usize, layer: usize, amount: i128) -> i128 {
        let mut sent = 0;
        for payer in bits(self.payers[debtor] & self.layers[layer].payers) {
            let pair = self.pair(payer, debtor);
            let had = self.paid[pair];
            let asked = had.min(amount - sent);
            let more = self.pay(payer, layer, asked);
            if more < asked {
                self.layers[layer].payers &= !bit(payer);
            }
            self.paid[pair] = had - more;
            if more == had {
                self.payers[debtor] &= !bit(payer);
            }
            sent += more;
            if sent == amount {
                break;
            }
        }
        sent
    }

    fn record(&mut self, payer: usize, debtor: usize, amount: i128) {
        let pair = self.pair(payer, debtor);
        if self.payers[debtor] & bit(payer) == 0 {
            self.payers[debtor] |= bit(payer);
            self.paid[pair] = amount;
        } else {
            self.paid[pair] += amount;
        }
    }

    fn settle(&mut self, debtor: usize, amount: i128) {
        self.left[debtor] -= amount;
        if self.left[debtor] == 0 {
            self.poor &= !bit(debtor);
        }
    }

    fn spend(&mut self, payer: usize, amount: i128) {
        self.left[payer] -= amount;
        if self.left[payer] == 0 {
            self.rich &= !bit(payer);
        }
    }

    fn pair(&self, payer: usize, debtor: usize) -> usize {
        payer * self.members.len() + debtor
    }

    /// Parts a set in which every balance is settled as far as it goes: those stay together who all depend on each other,
    /// by ancestry or because one had a debt that another paid.
    fn balanced_parts(&self, set: Bits) -> SmallVec<[Bits; 8]> {
        let mut needs: SmallVec<[Bits; 64]> = SmallVec::from_elem(0, self.members.len());
        for place in bits(set) {
            needs[place] = self.ancestors[place] | self.payers[place];
        }
        for through in bits(set) {
            for place in bits(set) {
                if needs[place] & bit(through) != 0 {
                    needs[place] |= needs[through];
                }
            }
        }
        let mut parts = SmallVec::new();
        let mut left = set;
        while left != 0 {
            let first = left.trailing_zeros() as usize;
            let mutual = |place: &usize| needs[*place] & bit(first) != 0;
            let part = bits(needs[first]).filter(mutual).fold(0, |part, place| part | bit(place));
            parts.push(part);
            left &= !part;
        }
        parts
    }
}
