//! Texts of descriptors (Core: `ParseScript`, `script/descriptor.cpp`).

use bitcoin::ScriptBuf;
use bitcoin::hex::FromHex;
use cairn_chain::params::AddressFormat;
use miniscript::Tap;

use super::DescriptorError;
use super::expression::Expression;
use super::key::{Context, Key};
use super::policy::{Policy, read_miniscript};
use crate::rpc::address::decode_address;

/// The most keys `multi()` has (Core: `MAX_PUBKEYS_PER_MULTISIG`, `script/script.h`).
pub(crate) const MAX_PUBKEYS_PER_MULTISIG: usize = 20;
/// The most keys `multi_a()` has (Core: `MAX_PUBKEYS_PER_MULTI_A`, `script/script.h`).
const MAX_PUBKEYS_PER_MULTI_A: usize = 999;
/// The most keys a multisignature has that stands in an output as it is.
const MAX_PUBKEYS_IN_BARE_MULTISIG: usize = 3;
/// Bytes of the largest script behind a hash (Core: `MAX_SCRIPT_ELEMENT_SIZE`, `script/script.h`).
pub(crate) const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;
/// How deep leaves of `tr()` may be (Core: `TAPROOT_CONTROL_MAX_NODE_COUNT`, `script/interpreter.h`).
const MAX_TREE_DEPTH: usize = 128;

/// Reads texts with the keys and addresses of a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parser {
    format: AddressFormat,
}

type Parsed<T> = Result<T, DescriptorError>;

fn error<T>(message: impl Into<String>) -> Parsed<T> {
    Err(DescriptorError::new(message))
}

impl Parser {
    pub(super) fn new(format: AddressFormat) -> Self {
        Self { format }
    }

    /// Reads a descriptor without its checksum.
    pub(super) fn parse(self, text: &str) -> Parsed<Expression> {
        let mut rest = text;
        let expression = self.script(&mut rest, Context::Top)?;
        // Core says nothing about this either.
        if rest.is_empty() { Ok(expression) } else { error("") }
    }

    /// Takes one script off the text.
    fn script(self, rest: &mut &str, context: Context) -> Parsed<Expression> {
        let text = take_expression(rest);
        let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            return self.policy(text, context);
        };
        let (is_top, is_p2sh) = (context == Context::Top, context == Context::P2sh);
        let in_key = |error: DescriptorError| error.inside(&format!("{name}()"));
        match name {
            "pk" => {
                let key = self.key(inner, context).map_err(in_key)?;
                Ok(Expression::Pk { key, is_x_only: context == Context::P2tr })
            }
            "pkh" if context != Context::P2tr => Ok(Expression::Pkh(self.key(inner, context).map_err(in_key)?)),
            "combo" if is_top => Ok(Expression::Combo(self.key(inner, context).map_err(in_key)?)),
            "combo" => error("Can only have combo() at top level"),
            "multi" | "sortedmulti" if context != Context::P2tr => self.multi(name == "sortedmulti", inner, context),
            "multi" | "sortedmulti" => error("Can only have multi/sortedmulti at top level, in sh(), or in wsh()"),
            "multi_a" | "sortedmulti_a" if context == Context::P2tr => self.multi_a(name == "sortedmulti_a", inner),
            "multi_a" | "sortedmulti_a" => error("Can only have multi_a/sortedmulti_a inside tr()"),
            "wpkh" if is_top || is_p2sh => Ok(Expression::Wpkh(self.key(inner, Context::P2wpkh).map_err(in_key)?)),
            "wpkh" => error("Can only have wpkh() at top level or inside sh()"),
            "sh" if is_top => Ok(Expression::Sh(Box::new(self.only_script(inner, Context::P2sh)?))),
            "sh" => error("Can only have sh() at top level"),
            "wsh" if is_top || is_p2sh => Ok(Expression::Wsh(Box::new(self.only_script(inner, Context::P2wsh)?))),
            "wsh" => error("Can only have wsh() at top level or inside sh()"),
            "addr" if is_top => match decode_address(inner, self.format) {
                Ok(address) => Ok(Expression::Address(address)),
                Err(_) => error("Address is not valid"),
            },
            "addr" => error("Can only have addr() at top level"),
            "tr" if is_top => self.tree(inner),
            "tr" => error("Can only have tr at top level"),
            "rawtr" if is_top && inner.contains(',') => error("rawtr(): only one key expected."),
            "rawtr" if is_top => Ok(Expression::RawTr(self.key(inner, Context::P2tr).map_err(in_key)?)),
            "rawtr" => error("Can only have rawtr at top level"),
            "raw" if is_top => match Vec::from_hex(inner) {
                Ok(bytes) if !bytes.is_empty() => Ok(Expression::Raw(ScriptBuf::from_bytes(bytes))),
                _ => error("Raw script is not hex"),
            },
            "raw" => error("Can only have raw() at top level"),
            _ => self.policy(text, context),
        }
    }

    /// Reads a script that is all there is.
    fn only_script(self, text: &str, context: Context) -> Parsed<Expression> {
        let mut rest = text;
        let expression = self.script(&mut rest, context)?;
        if rest.is_empty() { Ok(expression) } else { error("") }
    }

    fn key(self, text: &str, context: Context) -> Parsed<Key> {
        Key::parse(text, context, self.format)
    }

    /// The threshold and the keys of a multisignature.
    fn keys(self, inner: &str, context: Context) -> Parsed<(u32, Vec<Key>)> {
        let mut rest = inner;
        let threshold = take_expression(&mut rest);
        let is_number = threshold.bytes().all(|digit| digit.is_ascii_digit());
        let Some(required) = threshold.parse().ok().filter(|_: &u32| is_number) else {
            return error(format!("Multi threshold '{threshold}' is not valid"));
        };
        let mut keys = Vec::new();
        while !rest.is_empty() {
            take_comma(&mut rest, "Multi")?;
            let text = take_expression(&mut rest);
            keys.push(self.key(text, context).map_err(|error| error.inside("Multi"))?);
        }
        if has_mismatched_branches(keys.iter().map(Key::branches)) {
            return error("multi(): Multipath derivation paths have mismatched lengths");
        }
        Ok((required, keys))
    }

    fn multi(self, is_sorted: bool, inner: &str, context: Context) -> Parsed<Expression> {
        let (required, keys) = self.keys(inner, context)?;
        let count = keys.len();
        if count == 0 || count > MAX_PUBKEYS_PER_MULTISIG {
            return error(format!(
                "Cannot have {count} keys in multisig; must have between 1 and {MAX_PUBKEYS_PER_MULTISIG} keys, inclusive"
            ));
        }
        let threshold = check_threshold(required, count)?;
        if context == Context::Top && count > MAX_PUBKEYS_IN_BARE_MULTISIG {
            return error(format!("Cannot have {count} pubkeys in bare multisig; only at most 3 pubkeys"));
        }
        let size = keys.iter().map(|key| key.size() + 1).sum::<usize>() + 3;
        if context == Context::P2sh && size > MAX_SCRIPT_ELEMENT_SIZE {
            return error(format!(
                "P2SH script is too large, {size} bytes is larger than {MAX_SCRIPT_ELEMENT_SIZE} bytes"
            ));
        }
        Ok(Expression::Multi { threshold, keys, is_sorted })
    }

    fn multi_a(self, is_sorted: bool, inner: &str) -> Parsed<Expression> {
        let (required, keys) = self.keys(inner, Context::P2tr)?;
        let count = keys.len();
        if count == 0 || count > MAX_PUBKEYS_PER_MULTI_A {
            return error(format!(
                "Cannot have {count} keys in multi_a; must have between 1 and {MAX_PUBKEYS_PER_MULTI_A} keys, inclusive"
            ));
        }
        Ok(Expression::MultiA { threshold: check_threshold(required, count)?, keys, is_sorted })
    }

    /// The inside of `tr()`.
    fn tree(self, inner: &str) -> Parsed<Expression> {
        let mut rest = inner;
        let key = take_expression(&mut rest);
        let key = self.key(key, Context::P2tr).map_err(|error| error.inside("tr()"))?;
        let mut leaves = Vec::new();
        if !rest.is_empty() {
            take_comma(&mut rest, "tr")?;
            self.leaves(&mut rest, &mut leaves)?;
        }
        if !rest.is_empty() {
            return error("tr(): expected ')' after script expression");
        }
        let branches = || leaves.iter().map(|(_, leaf): &(u8, Expression)| leaf.branches());
        let most = branches().chain([key.branches()]).max().unwrap_or(1);
        let is_mismatched = |branches: usize| branches > 1 && branches != most;
        if branches().any(is_mismatched) {
            return error("tr(): Multipath subscripts have mismatched lengths");
        }
        if is_mismatched(key.branches()) {
            return error("tr(): Multipath internal key mismatches multipath subscripts lengths");
        }
        Ok(Expression::Tr { key, leaves })
    }

    /// Takes leaves off the text, with the braces around them.
    fn leaves(self, rest: &mut &str, leaves: &mut Vec<(u8, Expression)>) -> Parsed<()> {
        // For each level whether we are in its right half.
        let mut halves: Vec<bool> = Vec::new();
        loop {
            while take(rest, '{') {
                halves.push(false);
                if halves.len() > MAX_TREE_DEPTH {
                    return error(format!("tr() supports at most {MAX_TREE_DEPTH} nesting levels"));
                }
            }
            let leaf = self.script(rest, Context::P2tr)?;
            leaves.push((u8::try_from(halves.len()).unwrap_or(u8::MAX), leaf));
            while halves.last() == Some(&true) {
                if !take(rest, '}') {
                    return error("tr(): expected '}' after script expression");
                }
                halves.pop();
            }
            let Some(half) = halves.last_mut() else { return Ok(()) };
            if !take(rest, ',') {
                return error("tr(): expected ',' after script expression");
            }
            *half = true;
        }
    }

    /// Reads a miniscript, which is all that a text can be that is nothing else.
    fn policy(self, text: &str, context: Context) -> Parsed<Expression> {
        match context {
            Context::P2wsh => match Policy::parse(text, context, self.format)? {
                Some(policy) => Ok(Expression::WitnessPolicy(Box::new(policy))),
                None => error("A function is needed within P2WSH"),
            },
            Context::P2tr => match Policy::parse(text, context, self.format)? {
                Some(policy) => Ok(Expression::TapPolicy(Box::new(policy))),
                None => error(format!("'{text}' is not a valid descriptor function")),
            },
            _ if read_miniscript::<Tap>(text).is_some() => {
                error("Miniscript expressions can only be used in wsh or tr.")
            }
            Context::P2sh => error("A function is needed within P2SH"),
            _ => error(format!("'{text}' is not a valid descriptor function")),
        }
    }
}

fn check_threshold(required: u32, count: usize) -> Parsed<usize> {
    let threshold = usize::try_from(required).unwrap_or(usize::MAX);
    if threshold < 1 {
        return error(format!("Multisig threshold cannot be {required}, must be at least 1"));
    }
    if threshold > count {
        return error(format!(
            "Multisig threshold cannot be larger than the number of keys; threshold is {required} but only {count} keys \
             specified"
        ));
    }
    Ok(threshold)
}

/// Whether two of these have several alternatives, and not equally many.
pub(super) fn has_mismatched_branches(branches: impl Iterator<Item = usize>) -> bool {
    let mut several = branches.filter(|branches| *branches > 1);
    several.next().is_some_and(|first| several.any(|branches| branches != first))
}

/// Takes the text up to a comma or closing bracket that does not belong to it (Core: `Expr`, `script/parsing.cpp`).
fn take_expression<'a>(rest: &mut &'a str) -> &'a str {
    let mut level = 0_usize;
    let ends = |character| match character {
        '(' | '{' => {
            level += 1;
            false
        }
        ')' | '}' if level > 0 => {
            level -= 1;
            false
        }
        ')' | '}' | ',' => level == 0,
        _ => false,
    };
    let end = rest.find(ends).unwrap_or(rest.len());
    let (expression, after) = rest.split_at(end);
    *rest = after;
    expression
}

fn take(rest: &mut &str, character: char) -> bool {
    match rest.strip_prefix(character) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn take_comma(rest: &mut &str, place: &str) -> Parsed<()> {
    if take(rest, ',') {
        return Ok(());
    }
    let got = rest.chars().next().unwrap_or(' ');
    error(format!("{place}: expected ',', got '{got}'"))
}
