//! The table, where it matters most.

use cairn_net::protocol::FrameError;
use cairn_net::{HeaderError, InvalidAnswer};

use super::*;

const VERDICTS: [Verdict; 10] = [
    Verdict::Invalid,
    Verdict::InvalidBody,
    Verdict::InvalidHeader,
    Verdict::Mutated,
    Verdict::MissingParent,
    Verdict::InvalidParent,
    Verdict::CachedInvalid,
    Verdict::TooNew,
    Verdict::LowWork,
    Verdict::OurFault,
];

fn misbehaviour(conduct: Conduct<'_>) -> i32 {
    penalty(&conduct).misbehaviour
}

#[test]
fn a_transaction_that_we_do_not_like_is_no_attack() {
    for verdict in [
        TransactionVerdict::NotStandard,
        TransactionVerdict::InputsNotStandard,
        TransactionVerdict::MissingInputs,
        TransactionVerdict::PrematureSpend,
        TransactionVerdict::WitnessMutated,
        TransactionVerdict::Conflict,
        TransactionVerdict::MempoolPolicy,
        TransactionVerdict::Reconsiderable,
    ] {
        assert_eq!(penalty(&Conduct::Transaction(verdict)).acceptance, Acceptance::Ignore);
        assert_eq!(misbehaviour(Conduct::Transaction(verdict)), 0);
    }
    assert_eq!(misbehaviour(Conduct::Transaction(TransactionVerdict::Invalid)), SLIP);
}

#[test]
fn what_is_our_fault_or_may_come_right_costs_nothing() {
    for verdict in [Verdict::OurFault, Verdict::TooNew, Verdict::MissingParent, Verdict::LowWork] {
        assert_eq!(misbehaviour(Conduct::Header(verdict)), 0);
        assert_eq!(misbehaviour(Conduct::Block(verdict)), 0);
        assert_eq!(misbehaviour(Conduct::RebuiltBlock(verdict)), 0);
    }
    let wait = std::time::Duration::ZERO;
    assert_eq!(misbehaviour(Conduct::Answer(&RequestError::Busy { wait })), 0);
    assert_eq!(misbehaviour(Conduct::Answer(&RequestError::Disconnected)), 0);
}

#[test]
fn whoever_sends_a_bad_block_is_banned_unless_it_had_to_trust_others() {
    assert_eq!(misbehaviour(Conduct::Block(Verdict::Invalid)), BAN);
    assert_eq!(misbehaviour(Conduct::Block(Verdict::Mutated)), BAN);
    assert_eq!(misbehaviour(Conduct::RebuiltBlock(Verdict::Invalid)), 0);
    assert_eq!(misbehaviour(Conduct::RebuiltBlock(Verdict::Mutated)), BAN);
}

#[test]
fn whoever_forwards_what_it_could_not_know_is_not_banned() {
    for verdict in [Verdict::InvalidParent, Verdict::CachedInvalid] {
        assert_eq!(misbehaviour(Conduct::Header(verdict)), FAILURE);
        assert_eq!(misbehaviour(Conduct::Block(verdict)), 0);
    }
}

#[test]
fn nothing_is_forwarded_that_was_found_wrong() {
    for verdict in VERDICTS {
        for conduct in [Conduct::Header(verdict), Conduct::Block(verdict), Conduct::RebuiltBlock(verdict)] {
            let penalty = penalty(&conduct);
            assert_ne!(penalty.acceptance, Acceptance::Accept);
            assert!(penalty.misbehaviour >= 0);
        }
    }
}

#[test]
fn what_breaks_the_protocol_bans() {
    let frame = FrameError::TrailingBytes { got: 1 };
    assert_eq!(misbehaviour(Conduct::Violation(&frame.clone().into())), BAN);
    assert_eq!(misbehaviour(Conduct::Violation(&HeaderError::HighHash.into())), BAN);
    assert_eq!(misbehaviour(Conduct::Violation(&Violation::AnotherNetwork)), BAN);
    assert_eq!(misbehaviour(Conduct::Answer(&InvalidAnswer::WrongBlock { position: 0 }.into())), BAN);
}
