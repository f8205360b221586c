//! What comes back from a method (Core: `RPCResult`).

#[cfg(test)]
use super::super::json::JsonType;

/// Groups of fields an object is put together from.
const GROUPS: usize = 6;

/// The type of a result (Core: `RPCResult::Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rpc) enum ResultType {
    /// Any string.
    String,
    /// A string of hexadecimal digits.
    Hex,
    /// A number.
    Number,
    /// An amount in bitcoins, a number.
    Amount,
    /// Seconds since 1970.
    Time,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// Anything; help does not show it.
    Any,
    /// An object with these keys.
    Object,
    /// An object whose keys are not known beforehand.
    ObjectDynamic,
    /// An array of such values.
    Array,
    /// An array of exactly these values.
    ArrayFixed,
}

impl ResultType {
    /// The type of JSON, if it is known.
    #[cfg(test)]
    pub(super) fn json_type(self) -> Option<JsonType> {
        match self {
            Self::Any => None,
            Self::Null => Some(JsonType::Null),
            Self::String | Self::Hex => Some(JsonType::String),
            Self::Number | Self::Amount | Self::Time => Some(JsonType::Number),
            Self::Boolean => Some(JsonType::Bool),
            Self::Array | Self::ArrayFixed => Some(JsonType::Array),
            Self::Object | Self::ObjectDynamic => Some(JsonType::Object),
        }
    }
}

/// Fields of an object, or elements of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) fields: &'static [ResultDoc],
    /// What help shows instead of the fields, if it is not empty (Core: `ElideGroup`).
    pub(super) elision: Option<&'static str>,
}

/// A result, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResultDoc {
    pub(super) kind: ResultType,
    /// The key, in an object.
    pub(super) key: &'static str,
    pub(super) description: &'static str,
    /// When this is what comes back.
    pub(super) condition: &'static str,
    pub(super) is_optional: bool,
    pub(super) groups: [Group; GROUPS],
}

/// Constructors, one for each type, and adjustments.
impl ResultDoc {
    const fn new(kind: ResultType, key: &'static str, description: &'static str, inner: &'static [Self]) -> Self {
        const NONE: Group = Group { fields: &[], elision: None };
        let mut groups = [NONE; GROUPS];
        groups[0].fields = inner;
        Self { kind, key, description, condition: "", is_optional: false, groups }
    }

    /// A string.
    #[must_use]
    pub(crate) const fn string(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::String, key, description, &[])
    }

    /// A string of hexadecimal digits.
    #[must_use]
    pub(crate) const fn hex(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Hex, key, description, &[])
    }

    /// A number.
    #[must_use]
    pub(crate) const fn number(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Number, key, description, &[])
    }

    /// An amount in bitcoins (Core: `STR_AMOUNT`).
    #[must_use]
    pub(crate) const fn amount(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Amount, key, description, &[])
    }

    /// Seconds since 1970 (Core: `NUM_TIME`).
    #[must_use]
    pub(crate) const fn time(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Time, key, description, &[])
    }

    /// `true` or `false`.
    #[must_use]
    pub(crate) const fn boolean(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Boolean, key, description, &[])
    }

    /// `null` (Core: `NONE`).
    #[must_use]
    pub(crate) const fn null(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Null, key, description, &[])
    }

    /// Anything; help does not show it.
    #[must_use]
    pub(crate) const fn any(key: &'static str, description: &'static str) -> Self {
        Self::new(ResultType::Any, key, description, &[])
    }

    /// An object with these fields.
    #[must_use]
    pub(crate) const fn object(key: &'static str, description: &'static str, inner: &'static [Self]) -> Self {
        Self::new(ResultType::Object, key, description, inner)
    }

    /// An object whose keys are not known beforehand, and whose values are all like the first of `inner`.
    #[must_use]
    pub(crate) const fn object_dynamic(key: &'static str, description: &'static str, inner: &'static [Self]) -> Self {
        Self::new(ResultType::ObjectDynamic, key, description, inner)
    }

    /// An array; elements after the last of `inner` are like it.
    #[must_use]
    pub(crate) const fn array(key: &'static str, description: &'static str, inner: &'static [Self]) -> Self {
        Self::new(ResultType::Array, key, description, inner)
    }

    /// An array with as many elements as `inner` has.
    #[must_use]
    pub(crate) const fn array_fixed(key: &'static str, description: &'static str, inner: &'static [Self]) -> Self {
        Self::new(ResultType::ArrayFixed, key, description, inner)
    }

    /// It may be missing.
    #[must_use]
    pub(crate) const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// It comes back in this case only.
    #[must_use]
    pub(crate) const fn when(mut self, condition: &'static str) -> Self {
        self.condition = condition;
        self
    }

    /// More fields, which several methods share.
    #[must_use]
    pub(crate) const fn and(self, fields: &'static [Self]) -> Self {
        self.with_group(Group { fields, elision: None })
    }

    /// More fields, which help shows as one line with this text (Core: `ElideGroup`).
    #[must_use]
    pub(crate) const fn and_elided(self, fields: &'static [Self], text: &'static str) -> Self {
        self.with_group(Group { fields, elision: Some(text) })
    }

    /// More fields, which help does not show at all (Core: `HelpElisionSkip`).
    #[must_use]
    pub(crate) const fn and_unshown(self, fields: &'static [Self]) -> Self {
        self.with_group(Group { fields, elision: Some("") })
    }

    const fn with_group(mut self, group: Group) -> Self {
        let mut at = 0;
        while !self.groups[at].fields.is_empty() {
            at += 1;
            assert!(at < GROUPS, "an object has six groups of fields at most");
        }
        self.groups[at] = group;
        self
    }

    /// All fields or elements, whatever help shows of them.
    #[cfg(test)]
    pub(super) fn inner(&self) -> impl Iterator<Item = &'static Self> + use<> {
        self.groups.into_iter().flat_map(|group| group.fields)
    }
}
