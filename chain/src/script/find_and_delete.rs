//! Removing a signature from the script it signs.

use std::borrow::Cow;

use super::{Instructions, append_push};

/// `script` without the occurrences of the push of `signature` that start where an operation starts, and whether there
/// were any (Core: `FindAndDelete`, `script/interpreter.cpp`; legacy scripts only).
///
/// The push is the one Core's `CScript() << signature` makes, which for an empty signature is `OP_0`.
pub(super) fn find_and_delete<'a>(script: &'a [u8], signature: &[u8]) -> (Cow<'a, [u8]>, bool) {
    let mut push = Vec::with_capacity(signature.len() + 5);
    append_push(&mut push, signature);
    // No scriptCode that really was signed holds its own signature, so the search nearly always ends here.
    if !script.windows(push.len()).any(|window| window == push) {
        return (Cow::Borrowed(script), false);
    }

    let mut kept = Vec::with_capacity(script.len());
    let mut found = false;
    let mut instructions = Instructions::new(script);
    let mut copied_to = 0;
    loop {
        let mut position = instructions.position();
        kept.extend_from_slice(&script[copied_to..position]);
        while script[position..].starts_with(&push) {
            position += push.len();
            found = true;
        }
        instructions.skip_to(position);
        copied_to = position;
        // A truncated push ends the search; what is left is kept.
        let Some(Ok(_)) = instructions.next() else { break };
    }
    kept.extend_from_slice(&script[copied_to..]);
    (Cow::Owned(kept), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(script: &[u8], signature: &[u8]) -> (Vec<u8>, bool) {
        let (kept, found) = find_and_delete(script, signature);
        (kept.into_owned(), found)
    }

    #[test]
    fn only_whole_operations_are_deleted() {
        // Core's script_tests, "script_FindAndDelete", retold.
        assert_eq!(delete(&[1, 9, 0x51, 1, 9], &[9]), (vec![0x51], true));
        // The bytes of the push occur inside another push: they stay.
        assert_eq!(delete(&[3, 1, 9, 0x51], &[9]), (vec![3, 1, 9, 0x51], false));
        // Adjacent occurrences all go.
        assert_eq!(delete(&[1, 9, 1, 9, 0x52], &[9]), (vec![0x52], true));
        // After a deletion the rest is parsed from there, here as a truncated push, which stays.
        assert_eq!(delete(&[1, 9, 5, 1], &[9]), (vec![5, 1], true));
    }

    #[test]
    fn an_empty_signature_deletes_op_0() {
        assert_eq!(delete(&[0, 0x51, 0], &[]), (vec![0x51], true));
        assert_eq!(delete(&[2, 0, 0, 0], &[]), (vec![2, 0, 0], true));
    }
}
