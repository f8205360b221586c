//! Amounts in requests and files, as the wallet reads them: a number and a unit.

use std::fmt;
use std::str::FromStr;

use bitcoin::{Amount, Denomination};
use serde::{Deserialize, Serialize};

/// An amount of coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Coins(pub(crate) Amount);

impl FromStr for Coins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        cairn_wallet::amount::parse_amount(text).map(Self).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} BTC", self.0.display_in(Denomination::Bitcoin))
    }
}

impl TryFrom<String> for Coins {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Coins> for String {
    fn from(coins: Coins) -> Self {
        format!("{}sat", coins.0.to_sat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_unit() {
        for (text, satoshis) in [("0.5btc", 50_000_000), ("2 BTC", 200_000_000), ("50000sat", 50_000), ("1sat", 1)] {
            let coins: Coins = text.parse().unwrap();
            assert_eq!(coins.0.to_sat(), satoshis, "{text}");
            assert_eq!(String::from(coins).parse(), Ok(coins));
        }
        for wrong in ["", "1", "0sat", "btc", "-1btc", "0.5sat", "0.000000001btc", "22000000btc", "1eth", "nanbtc"] {
            assert!(wrong.parse::<Coins>().is_err(), "{wrong}");
        }
    }
}
