//! What users may call (Core: `-rpcwhitelist`, `InitRPCAuthentication`, `httprpc.cpp`).

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

/// A user and the methods the user may call. Its text form is `user:method,method`; a user without a colon may call none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whitelist {
    user: String,
    /// None where there was no colon: such an entry takes nothing away from others.
    methods: Option<HashSet<String>>,
}

impl FromStr for Whitelist {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, methods) = match text.split_once(':') {
            Some((user, methods)) => (user, Some(methods)),
            None => (text, None),
        };
        let split =
            |methods: &str| methods.split([',', ' ']).map(str::to_owned).filter(|name| !name.is_empty()).collect();
        Ok(Self { user: user.to_owned(), methods: methods.map(split) })
    }
}

impl Whitelist {
    /// What each user may call: of several lists, what is in all of them.
    pub(super) fn merge(lists: &[Self]) -> HashMap<String, Arc<HashSet<String>>> {
        let mut merged: HashMap<String, HashSet<String>> = HashMap::new();
        for Self { user, methods } in lists {
            let is_first = !merged.contains_key(user);
            let known = merged.entry(user.clone()).or_default();
            match methods {
                Some(methods) if is_first => known.clone_from(methods),
                Some(methods) => known.retain(|method| methods.contains(method)),
                None => {}
            }
        }
        merged.into_iter().map(|(user, methods)| (user, Arc::new(methods))).collect()
    }
}
