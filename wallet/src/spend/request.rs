//! What the user asks for.

use bitcoin::{Address, FeeRate, OutPoint, ScriptBuf};

use crate::amount::{Payout, parse_payout, show_amount};
use crate::error::WalletError;
use crate::network::Network;

/// Who is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where to.
    pub address: Address,
    /// How much.
    pub payout: Payout,
    /// What the user calls it.
    pub label: Option<String>,
}

/// What a transaction shall do.
#[derive(Debug, Clone)]
pub struct SpendRequest {
    /// Who is to be paid.
    pub recipients: Vec<Recipient>,
    /// What is paid for each virtual byte.
    pub fee_rate: FeeRate,
    /// These coins and no others; any if empty.
    pub coins: Vec<OutPoint>,
}

impl Recipient {
    /// Reads recipients from the words of a command: `ADDRESS AMOUNT`, again for each, or a URI of BIP21 that may hold the amount.
    /// `resolve` knows addresses by other names, such as `@alice`.
    ///
    /// # Errors
    ///
    /// When a word is neither, an amount is missing or said twice, or a payment would be dust.
    pub fn parse_all(
        words: &[String],
        network: &Network,
        resolve: &dyn Fn(&str) -> Result<Option<String>, WalletError>,
    ) -> Result<Vec<Self>, WalletError> {
        let mut recipients = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (mut recipient, amount) = match word.get(..8) {
                Some(scheme) if scheme.eq_ignore_ascii_case("bitcoin:") => from_uri(word, network)?,
                _ => {
                    let resolved = resolve(word)?;
                    let address = network.address(resolved.as_deref().unwrap_or(word)).map_err(|error| {
                        // Perhaps the other way round, or one too many.
                        match parse_payout(word) {
                            Ok(_) => {
                                WalletError::Usage(format!("expected an address and then its amount, got '{word}'"))
                            }
                            Err(_) => error.into(),
                        }
                    })?;
                    let label = resolved.map(|_| word.clone());
                    (Self { address, payout: Payout::Max, label }, None)
                }
            };
            recipient.payout = match amount {
                Some(payout) => payout,
                None => {
                    let amount = words.next().ok_or_else(|| {
                        WalletError::Usage(format!("expected an amount after {word}, such as 0.01btc, 50000sat or max"))
                    })?;
                    parse_payout(amount)?
                }
            };
            recipient.check_dust()?;
            recipients.push(recipient);
        }
        match recipients.iter().filter(|recipient| recipient.payout == Payout::Max).count() {
            _ if recipients.is_empty() => Err(WalletError::NoRecipient),
            0 | 1 => Ok(recipients),
            _ => Err(WalletError::SeveralMax),
        }
    }

    pub(super) fn script(&self) -> ScriptBuf {
        self.address.script_pubkey()
    }

    fn check_dust(&self) -> Result<(), WalletError> {
        let least = self.script().minimal_non_dust();
        match self.payout {
            Payout::Exactly(got) if got < least => Err(WalletError::Dust { to: self.address.to_string(), got, least }),
            Payout::Exactly(_) | Payout::Max => Ok(()),
        }
    }
}

/// Reads a payment URI (BIP21).
fn from_uri(text: &str, network: &Network) -> Result<(Recipient, Option<Payout>), WalletError> {
    let wrong = |problem: String| WalletError::Usage(format!("'{text}' is no payment URI: {problem}"));
    let uri: bip21::Uri<'_, bitcoin::address::NetworkUnchecked> =
        text.parse().map_err(|error: bip21::de::Error<_>| wrong(error.to_string()))?;
    // By our own check, which names both networks.
    let address = network.address(&uri.address.clone().assume_checked().to_string())?;
    let label = uri.label.and_then(|label| String::try_from(label).ok());
    if uri.amount == Some(bitcoin::Amount::ZERO) {
        return Err(wrong(format!("its amount is {}", show_amount(bitcoin::Amount::ZERO))));
    }
    let amount = uri.amount.map(Payout::Exactly);
    Ok((Recipient { address, payout: Payout::Max, label }, amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Stakes;
    use bitcoin::Amount;
    use bitcoin::hashes::Hash;

    const ALICE: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

    fn parse(words: &[&str]) -> Result<Vec<Recipient>, WalletError> {
        let genesis = bitcoin::BlockHash::all_zeros();
        let addresses = bitcoin::Network::Regtest;
        let network = Network { name: "regtest".to_owned(), addresses, genesis, stakes: Stakes::Local };
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Recipient::parse_all(&words, &network, &|name| Ok((name == "@alice").then(|| ALICE.to_owned())))
    }

    #[test]
    fn addresses_and_amounts_alternate() {
        let recipients = parse(&[ALICE, "0.5btc", "@alice", "max"]).unwrap();
        assert_eq!(recipients[0].payout, Payout::Exactly(Amount::from_sat(50_000_000)));
        assert_eq!(recipients[1].payout, Payout::Max);
        assert_eq!(recipients[1].label.as_deref(), Some("@alice"));
        assert_eq!(recipients[0].address, recipients[1].address);
    }

    #[test]
    fn uris_hold_amount_and_label() {
        let recipients = parse(&[&format!("bitcoin:{ALICE}?amount=0.25&label=rent%20of%20May"), ALICE, "1sat"]);
        assert!(matches!(recipients, Err(WalletError::Dust { .. })));
        let recipients =
            parse(&[&format!("BITCOIN:{}?amount=0.25&label=rent%20of%20May", ALICE.to_uppercase())]).unwrap();
        assert_eq!(recipients[0].payout, Payout::Exactly(Amount::from_sat(25_000_000)));
        assert_eq!(recipients[0].label.as_deref(), Some("rent of May"));
        let recipients = parse(&[&format!("bitcoin:{ALICE}"), "2btc"]).unwrap();
        assert_eq!(recipients[0].payout, Payout::Exactly(Amount::from_int_btc(2)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refuse = |words: &[&str]| parse(words).unwrap_err();
        let is_usage = |error: WalletError| error.exit_code() == 2;
        assert!(matches!(refuse(&[]), WalletError::NoRecipient));
        assert!(refuse(&[ALICE]).to_string().contains("expected an amount after"));
        assert!(refuse(&[ALICE, "5"]).to_string().contains("without a unit"));
        assert!(refuse(&[ALICE, "293sat"]).to_string().contains("dust"));
        assert!(parse(&[ALICE, "294sat"]).is_ok());
        assert!(
            refuse(&["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1btc"]).to_string().contains("of main, and this")
        );
        let mistyped = refuse(&["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", "1btc"]).to_string();
        assert!(mistyped.contains("no address") && mistyped.contains("checksum"), "{mistyped}");
        let mistyped = refuse(&["mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfo", "1btc"]).to_string();
        assert!(mistyped.contains("checksum"), "{mistyped}");
        assert_eq!(refuse(&["nobody", "1btc"]).to_string(), "'nobody' is no address");
        let swapped = "expected an address and then its amount, got";
        assert!(refuse(&["0.5btc", ALICE]).to_string().contains(swapped));
        let uri = format!("bitcoin:{ALICE}?amount=0.25");
        assert!(refuse(&[&uri, "0.3btc"]).to_string().contains(swapped));
        assert!(refuse(&[ALICE, "all"]).to_string().contains("called max"));
        assert!(refuse(&[&format!("bitcoin:{ALICE}?amount=abc")]).to_string().contains("no payment URI"));
        assert!(refuse(&[&format!("bitcoin:{ALICE}?req-unknown=1&amount=1")]).to_string().contains("no payment URI"));
        assert!(matches!(refuse(&[ALICE, "max", ALICE, "max"]), WalletError::SeveralMax));
        assert!(is_usage(refuse(&[ALICE, "5"])) && is_usage(refuse(&["nobody", "5sat"])));
    }
}
