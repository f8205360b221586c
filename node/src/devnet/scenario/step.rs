//! What a step is, and how it is read.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

use super::expectation::Expectation;
use crate::devnet::Request;

/// One step, with names of what earlier steps saved still in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Table")]
pub(super) struct Step {
    /// What is done, such as "mine".
    pub(super) what: String,
    table: Table,
    /// Under which name the transaction that was made is saved.
    pub(super) save: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Something is asked of the devnet.
    Ask(Request),
    /// A node is called.
    Call(RpcStep),
    /// Something must be so.
    Expect(Expectation),
    /// Nothing happens for a while.
    Wait(std::time::Duration),
}

/// A call of a node, and what it must answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RpcStep {
    pub(super) node: String,
    pub(super) method: String,
    #[serde(default)]
    pub(super) params: Vec<serde_json::Value>,
    /// What it must answer; of an object, the members that are named. Without it any answer but an error will do.
    pub(super) expect: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitStep {
    time: String,
}

impl TryFrom<Table> for Step {
    type Error = String;

    fn try_from(mut table: Table) -> Result<Self, String> {
        let what = match table.get("do") {
            Some(Value::String(what)) => what.clone(),
            _ => return Err("a step begins with do = \"…\"".to_owned()),
        };
        let save = match table.remove("save") {
            None => None,
            Some(Value::String(name)) if what == "faucet" => Some(name),
            Some(_) if what == "mine" => return Err("a mined block has no transaction to save".to_owned()),
            Some(_) => return Err("only a faucet's transaction can be saved, by a name".to_owned()),
        };
        let step = Self { what, table, save };
        // What is wrong with it is to be said before anything starts.
        step.action(None)?;
        Ok(step)
    }
}

impl Step {
    /// What the step does, with what was saved in the place of names; as they stand if nothing is known yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn action(&self, saved: Option<&BTreeMap<String, String>>) -> Result<Action, String> {
        let mut value = Value::Table(self.table.clone());
        if let Some(saved) = saved {
            fill_in(&mut value, saved)?;
        }
        let Value::Table(mut table) = value else { return Err("a step is a table".to_owned()) };
        let read = |table: Table| Value::Table(table);
        let message = |error: toml::de::Error| error.message().to_owned();
        match self.what.as_str() {
            "expect" => {
                table.remove("do");
                let expectation: Expectation = read(table).try_into().map_err(message)?;
                expectation.check()?;
                Ok(Action::Expect(expectation))
            }
            "rpc" => {
                table.remove("do");
                read(table).try_into().map(Action::Call).map_err(message)
            }
            "wait" => {
                table.remove("do");
                let WaitStep { time } = read(table).try_into().map_err(message)?;
                crate::devnet::parse_duration(&time).map(Action::Wait)
            }
            _ => read(table).try_into().map(Action::Ask).map_err(message),
        }
    }
}

/// Puts what was saved in the place of texts such as `$payment`.
fn fill_in(value: &mut Value, saved: &BTreeMap<String, String>) -> Result<(), String> {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix('$') {
                *text = saved.get(name).ok_or_else(|| format!("no step before this one saves {name}"))?.clone();
            }
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| fill_in(value, saved)),
        Value::Table(table) => table.iter_mut().try_for_each(|(_, value)| fill_in(value, saved)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_what_was_saved() {
        let step: Step =
            toml::from_str("do = 'rpc'\nnode = 'bob'\nmethod = 'gettxout'\nparams = ['$payment', 0]").unwrap();
        let saved = BTreeMap::from([("payment".to_owned(), "ab".to_owned())]);
        let Action::Call(call) = step.action(Some(&saved)).unwrap() else { panic!("it is a call") };
        assert_eq!(call.params, [serde_json::json!("ab"), serde_json::json!(0)]);
        assert!(step.action(Some(&BTreeMap::new())).unwrap_err().contains("no step before this one saves payment"));
    }
}
