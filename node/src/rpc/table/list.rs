//! Finding methods, and the text of `help` (Core: `CRPCTable`, `rpc/server.cpp`).

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::super::error::{RpcError, RpcErrorCode};
use super::super::methods::{ELSEWHERE, TABLE};
use super::{Category, Method};

/// Names longer than this are not compared with others; the longest of Core's has 26 characters.
const MAX_COMPARED: usize = 40;

static BY_NAME: LazyLock<HashMap<&'static str, &'static Method>> =
    LazyLock::new(|| TABLE.iter().copied().flatten().map(|method| (method.name, method)).collect());

/// The method of that name.
pub(crate) fn find_method(name: &str) -> Option<&'static Method> {
    BY_NAME.get(name).copied()
}

/// All methods, hidden ones too, by category and name.
pub(crate) fn list_methods() -> impl Iterator<Item = &'static Method> {
    let sorted: BTreeMap<_, _> = BY_NAME.values().map(|method| ((method.category, method.name), *method)).collect();
    sorted.into_values()
}

/// The first line of help of every method that is not hidden, below the headings (Core: `CRPCTable::help`).
pub(in crate::rpc) fn help_list() -> String {
    let mut text = String::new();
    let mut category = None;
    for method in list_methods().filter(|method| method.category != Category::Hidden) {
        if category != Some(method.category) {
            if category.is_some() {
                text.push('\n');
            }
            category = Some(method.category);
            text += &format!("== {} ==\n", method.category.name());
        }
        text += &method.signature();
        text.push('\n');
    }
    text.pop();
    text
}

/// The error for a name that is no method: where to go for one of Core's that we lack, or which name is nearest.
pub(in crate::rpc) fn not_found(name: &str) -> RpcError {
    let hint = match ELSEWHERE.iter().find(|(names, _)| names.contains(&name)) {
        Some((_, instead)) => Some((*instead).to_owned()),
        None => nearest(name).map(|nearest| format!("nearest: {nearest}")),
    };
    let message = hint.map_or_else(|| "Method not found".to_owned(), |hint| format!("Method not found ({hint})"));
    RpcError::new(RpcErrorCode::MethodNotFound, message)
}

/// The method whose name takes the fewest changes to get to, if they are few.
fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let most = (name.len() / 3).max(2);
    let shown = list_methods().filter(|method| method.category != Category::Hidden);
    let distances = shown.map(|method| (distance(&name.to_lowercase(), method.name), method.name));
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// Bytes to insert, delete or replace to make one name of the other (Levenshtein's distance).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, left) in from.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, right) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
