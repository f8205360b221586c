//! The elements scripts work on.

use super::ScriptError;

/// One element of a stack: bytes that were pushed, where they lie, or bytes an operation computed.
///
/// Pushed elements are up to 520 bytes and are never copied. Operations compute only hashes, numbers and booleans, so 32
/// bytes hold every result, and no operation allocates.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element<'a> {
    Pushed(&'a [u8]),
    Computed { bytes: [u8; 32], length: u8 },
}

impl<'a> Element<'a> {
    pub(super) const FALSE: Self = Self::Pushed(&[]);
    pub(super) const TRUE: Self = Self::Pushed(&[1]);

    pub(super) fn from_bool(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    /// An element that holds what an operation computed: at most 32 bytes.
    pub(super) fn computed(result: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes[..result.len()].copy_from_slice(result);
        Self::Computed { bytes, length: u8::try_from(result.len()).expect("at most 32, or the copy had failed") }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Pushed(bytes) => bytes,
            Self::Computed { bytes, length } => &bytes[..usize::from(*length)],
        }
    }

    /// False is zero in any length, negative zero included (Core: `CastToBool`, `script/interpreter.cpp`).
    pub(super) fn to_bool(self) -> bool {
        match self.as_bytes() {
            [] => false,
            [head @ .., last] => head.iter().any(|&byte| byte != 0) || !matches!(last, 0 | 0x80),
        }
    }
}

/// The main stack; its methods fail where Core reports `INVALID_STACK_OPERATION`.
#[derive(Debug, Clone, Default)]
pub(super) struct Stack<'a>(Vec<Element<'a>>);

impl<'a> Stack<'a> {
    pub(super) fn new() -> Self {
        // Enough for every standard spend.
        Self(Vec::with_capacity(16))
    }

    pub(super) fn from_items(items: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let mut stack = Vec::with_capacity(items.len().max(16));
        stack.extend(items.map(Element::Pushed));
        Self(stack)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, element: Element<'a>) {
        self.0.push(element);
    }

    pub(super) fn push_bool(&mut self, value: bool) {
        self.push(Element::from_bool(value));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Element<'a>> {
        self.0.iter()
    }

    pub(super) fn last(&self) -> Option<&Element<'a>> {
        self.0.last()
    }

    /// Fails unless there are at least `count` elements.
    pub(super) fn require(&self, count: usize) -> Result<(), ScriptError> {
        if self.0.len() < count { Err(ScriptError::InvalidStackOperation) } else { Ok(()) }
    }

    /// The element `depth` below the top; the top has depth 0.
    pub(super) fn peek(&self, depth: usize) -> Result<Element<'a>, ScriptError> {
        self.require(depth + 1)?;
        Ok(self.0[self.0.len() - 1 - depth])
    }

    pub(super) fn pop(&mut self) -> Result<Element<'a>, ScriptError> {
        self.0.pop().ok_or(ScriptError::InvalidStackOperation)
    }

    /// Removes `count` elements from the top.
    pub(super) fn drop_top(&mut self, count: usize) -> Result<(), ScriptError> {
        self.require(count)?;
        self.0.truncate(self.0.len() - count);
        Ok(())
    }

    /// Removes and returns the element `depth` below the top.
    pub(super) fn remove(&mut self, depth: usize) -> Result<Element<'a>, ScriptError> {
        self.require(depth + 1)?;
        Ok(self.0.remove(self.0.len() - 1 - depth))
    }

    /// Puts an element `depth` below the top.
    pub(super) fn insert(&mut self, depth: usize, element: Element<'a>) -> Result<(), ScriptError> {
        self.require(depth)?;
        self.0.insert(self.0.len() - depth, element);
        Ok(())
    }

    /// Pushes copies of the `count` elements that end `depth` below the top, in their order.
    pub(super) fn copy(&mut self, count: usize, depth: usize) -> Result<(), ScriptError> {
        self.require(count + depth)?;
        let start = self.0.len() - count - depth;
        self.0.extend_from_within(start..start + count);
        Ok(())
    }

    /// Moves the lowest `by` of the top `count` elements to the top.
    pub(super) fn rotate(&mut self, count: usize, by: usize) -> Result<(), ScriptError> {
        self.require(count)?;
        let start = self.0.len() - count;
        self.0[start..].rotate_left(by);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_zero_is_false() {
        for bytes in [&[][..], &[0], &[0x80], &[0, 0, 0x80]] {
            assert!(!Element::Pushed(bytes).to_bool(), "{bytes:?}");
        }
        for bytes in [&[1][..], &[0x80, 0], &[0, 1], &[0x81]] {
            assert!(Element::Pushed(bytes).to_bool(), "{bytes:?}");
        }
    }
}
