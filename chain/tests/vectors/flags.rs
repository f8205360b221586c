//! Sets of flags: their names, and how Core's tests vary them (Core: `test/transaction_tests.cpp`).

use cairn_chain::script::ScriptVerifyFlags;

use super::random::Random;

/// The flags a list of names, separated by commas, stands for; `NONE` and nothing stand for none.
pub(crate) fn parse(names: &str) -> ScriptVerifyFlags {
    if names.is_empty() || names == "NONE" {
        return ScriptVerifyFlags::empty();
    }
    let flag = |name| {
        ScriptVerifyFlags::from_name(name)
            .filter(|flag| flag.bits().is_power_of_two())
            .unwrap_or_else(|| panic!("no flag has the name `{name}`"))
    };
    names.split(',').map(flag).collect()
}

/// Every flag with its name.
pub(crate) fn each() -> impl Iterator<Item = (&'static str, ScriptVerifyFlags)> {
    ScriptVerifyFlags::all().iter_names().filter(|(_, flag)| flag.bits().is_power_of_two())
}

/// Each flag as likely set as not.
pub(crate) fn random(random: &mut Random) -> ScriptVerifyFlags {
    ScriptVerifyFlags::from_bits_truncate(random.next_u32())
}

/// Without the flags whose preconditions are missing.
pub(crate) fn trim(mut flags: ScriptVerifyFlags) -> ScriptVerifyFlags {
    if !flags.contains(ScriptVerifyFlags::P2SH) {
        flags.remove(ScriptVerifyFlags::WITNESS);
    }
    if !flags.contains(ScriptVerifyFlags::WITNESS) {
        flags.remove(ScriptVerifyFlags::CLEANSTACK);
    }
    flags
}

/// With the preconditions of every flag.
pub(crate) fn fill(mut flags: ScriptVerifyFlags) -> ScriptVerifyFlags {
    if flags.contains(ScriptVerifyFlags::CLEANSTACK) {
        flags.insert(ScriptVerifyFlags::WITNESS);
    }
    if flags.contains(ScriptVerifyFlags::WITNESS) {
        flags.insert(ScriptVerifyFlags::P2SH);
    }
    flags
}

/// The different sets that are left when one flag at a time is taken out, trimmed.
pub(crate) fn without_each(flags: ScriptVerifyFlags) -> Vec<ScriptVerifyFlags> {
    let mut sets: Vec<_> = each().map(|(_, flag)| trim(flags - flag)).filter(|set| *set != flags).collect();
    sets.sort_by_key(ScriptVerifyFlags::bits);
    sets.dedup();
    sets
}

#[test]
fn there_are_21_flags_and_all_have_names() {
    assert_eq!(each().count(), 21);
    assert_eq!(each().map(|(name, _)| parse(name)).collect::<ScriptVerifyFlags>(), ScriptVerifyFlags::all());
    assert_eq!(parse("NONE"), ScriptVerifyFlags::empty());
    assert_eq!(parse("P2SH,DERSIG"), ScriptVerifyFlags::P2SH | ScriptVerifyFlags::DERSIG);
}
