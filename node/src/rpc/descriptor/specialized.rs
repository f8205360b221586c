//! Descriptors of single scripts, which name the keys in them and where those come from (Core: `InferDescriptor`,
//! `script/descriptor.cpp`, when it knows all the keys).

use super::expression::Expression;
use super::key::Key;

/// An expression at an index: one for each of its scripts, in their order. Nothing if a key cannot be derived.
pub(super) fn specialized(expression: &Expression, branch: usize, index: u32) -> Option<Vec<Expression>> {
    let Expression::Combo(key) = expression else { return Some(vec![at(expression, branch, index)?]) };
    let key = key.at(branch, index, false)?;
    let mut forms = vec![Expression::Pk { key: key.clone(), is_x_only: false }, Expression::Pkh(key.clone())];
    if key.size() == 33 {
        let witness = Expression::Wpkh(key);
        forms.extend([witness.clone(), Expression::Sh(Box::new(witness))]);
    }
    Some(forms)
}

fn at(expression: &Expression, branch: usize, index: u32) -> Option<Expression> {
    let key_at = |key: &Key| key.at(branch, index, false);
    Some(match expression {
        Expression::Pk { key, is_x_only } => {
            Expression::Pk { key: key.at(branch, index, *is_x_only)?, is_x_only: *is_x_only }
        }
        Expression::Pkh(key) => Expression::Pkh(key_at(key)?),
        Expression::Wpkh(key) => Expression::Wpkh(key_at(key)?),
        Expression::RawTr(key) => Expression::RawTr(key.at(branch, index, true)?),
        Expression::Multi { threshold, keys, is_sorted } => {
            // What a script says of its keys is their order, not the reason for it.
            let mut keys: Vec<_> = keys.iter().map(key_at).collect::<Option<_>>()?;
            if *is_sorted {
                keys.sort_by_cached_key(|key| key.derive(branch, index).map(|key| key.to_bytes()));
            }
            Expression::Multi { threshold: *threshold, keys, is_sorted: false }
        }
        Expression::MultiA { threshold, keys, is_sorted } => {
            let mut keys: Vec<_> = keys.iter().map(|key| key.at(branch, index, true)).collect::<Option<_>>()?;
            if *is_sorted {
                keys.sort_by_cached_key(|key| {
                    key.derive(branch, index).map(|key| key.inner.x_only_public_key().0.serialize())
                });
            }
            Expression::MultiA { threshold: *threshold, keys, is_sorted: false }
        }
        Expression::Sh(inner) => Expression::Sh(Box::new(at(inner, branch, index)?)),
        Expression::Wsh(inner) => Expression::Wsh(Box::new(at(inner, branch, index)?)),
        Expression::Tr { key, leaves } => Expression::Tr {
            key: key.at(branch, index, true)?,
            leaves: leaves
                .iter()
                .map(|(depth, leaf)| Some((*depth, at(leaf, branch, index)?)))
                .collect::<Option<_>>()?,
        },
        Expression::WitnessPolicy(policy) => Expression::WitnessPolicy(Box::new(policy.at(branch, index, false)?)),
        Expression::TapPolicy(policy) => Expression::TapPolicy(Box::new(policy.at(branch, index, true)?)),
        Expression::Address(_) | Expression::Raw(_) => expression.clone(),
        Expression::Combo(_) => return None,
    })
}
