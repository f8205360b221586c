//! What may be passed to a method (Core: `RPCArg`).

use super::super::json::JsonType;

/// The type of a parameter (Core: `RPCArg::Type`). Inner parameters of arrays have no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterType {
    /// Any string.
    String,
    /// A string of hexadecimal digits.
    Hex,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An amount in bitcoins, as a number or a string.
    Amount,
    /// A number, or an array of two.
    Range,
    /// An array of values of these types.
    Array(&'static [Parameter]),
    /// An object with these keys.
    Object(&'static [Parameter]),
    /// An object whose keys may also be passed as named arguments of the method (Core: `OBJ_NAMED_PARAMS`).
    NamedOptions(&'static [Parameter]),
    /// An object whose keys the caller chooses (Core: `OBJ_USER_KEYS`).
    UserKeys(&'static [Parameter]),
}

impl ParameterType {
    /// The type of JSON it must have, if only one is right.
    pub(super) fn json_type(self) -> Option<JsonType> {
        match self {
            Self::String | Self::Hex => Some(JsonType::String),
            Self::Number => Some(JsonType::Number),
            Self::Boolean => Some(JsonType::Bool),
            Self::Amount | Self::Range => None,
            Self::Array(_) => Some(JsonType::Array),
            Self::Object(_) | Self::NamedOptions(_) | Self::UserKeys(_) => Some(JsonType::Object),
        }
    }

    /// Whether command lines pass it as it is, instead of as JSON.
    #[must_use]
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Hex)
    }
}

/// Whether a parameter must be passed, and what it is when it is not (Core: `RPCArg::Fallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It must be passed.
    Required,
    /// It may be left out, and what that means is plain.
    Omitted,
    /// It may be left out, with this effect.
    Hint(&'static str),
    /// It may be left out and is this JSON value then.
    Default(&'static str),
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The name, and others it may be called by after a `|`.
    pub(crate) names: &'static str,
    /// Its type.
    pub(crate) kind: ParameterType,
    /// Whether it must be passed.
    pub(crate) presence: Presence,
    /// What it means.
    pub(crate) description: &'static str,
    /// Whether values of any type are let through; the method checks them itself.
    pub(crate) is_any_type: bool,
    /// Whether help leaves it out, and all that follow.
    pub(crate) is_hidden: bool,
    /// Whether a key of named options is also the name of a parameter of its own.
    pub(crate) is_also_positional: bool,
    /// Whether command lines pass it as JSON although it is a string.
    pub(crate) is_json_text: bool,
    /// What it looks like in the first line of help, instead of what its type says.
    pub(super) oneline: Option<&'static str>,
    /// What its type is called as a value in an object, and in the description.
    pub(super) type_texts: Option<(&'static str, &'static str)>,
}

/// Constructors, one for each type, and adjustments.
impl Parameter {
    const fn new(names: &'static str, kind: ParameterType, presence: Presence, description: &'static str) -> Self {
        Self {
            names,
            kind,
            presence,
            description,
            is_any_type: false,
            is_hidden: false,
            is_also_positional: false,
            is_json_text: false,
            oneline: None,
            type_texts: None,
        }
    }

    /// A string.
    #[must_use]
    pub(crate) const fn string(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::String, presence, description)
    }

    /// A string of hexadecimal digits.
    #[must_use]
    pub(crate) const fn hex(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::Hex, presence, description)
    }

    /// A number.
    #[must_use]
    pub(crate) const fn number(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::Number, presence, description)
    }

    /// `true` or `false`.
    #[must_use]
    pub(crate) const fn boolean(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::Boolean, presence, description)
    }

    /// An amount in bitcoins.
    #[must_use]
    pub(crate) const fn amount(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::Amount, presence, description)
    }

    /// A number or an array of two.
    #[must_use]
    pub(crate) const fn range(names: &'static str, presence: Presence, description: &'static str) -> Self {
        Self::new(names, ParameterType::Range, presence, description)
    }

    /// An array.
    #[must_use]
    pub(crate) const fn array(
        names: &'static str,
        presence: Presence,
        description: &'static str,
        inner: &'static [Self],
    ) -> Self {
        Self::new(names, ParameterType::Array(inner), presence, description)
    }

    /// An object.
    #[must_use]
    pub(crate) const fn object(
        names: &'static str,
        presence: Presence,
        description: &'static str,
        inner: &'static [Self],
    ) -> Self {
        Self::new(names, ParameterType::Object(inner), presence, description)
    }

    /// An object whose keys may also be passed as named arguments.
    #[must_use]
    pub(crate) const fn named_options(
        names: &'static str,
        presence: Presence,
        description: &'static str,
        inner: &'static [Self],
    ) -> Self {
        Self::new(names, ParameterType::NamedOptions(inner), presence, description)
    }

    /// An object whose keys the caller chooses.
    #[must_use]
    pub(crate) const fn user_keys(
        names: &'static str,
        presence: Presence,
        description: &'static str,
        inner: &'static [Self],
    ) -> Self {
        Self::new(names, ParameterType::UserKeys(inner), presence, description)
    }

    /// Lets values of any type through (Core: `skip_type_check`).
    #[must_use]
    pub(crate) const fn any_type(mut self) -> Self {
        self.is_any_type = true;
        self
    }

    /// Leaves it, and all that follow, out of help (Core: `hidden`).
    #[must_use]
    pub(crate) const fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Lets a key of named options have the name of a parameter (Core: `also_positional`).
    #[must_use]
    #[cfg(test)]
    pub(crate) const fn also_positional(mut self) -> Self {
        self.is_also_positional = true;
        self
    }

    /// Has command lines pass it as JSON although it is a string (Core: `vRPCConvertParams`, for `echojson`).
    #[must_use]
    pub(crate) const fn json_text(mut self) -> Self {
        self.is_json_text = true;
        self
    }

    /// Says what it looks like in the first line of help (Core: `oneline_description`).
    #[must_use]
    pub(crate) const fn oneline(mut self, text: &'static str) -> Self {
        self.oneline = Some(text);
        self
    }

    /// Says what its type is called as a value in an object, and in the description (Core: `type_str`).
    #[must_use]
    pub(crate) const fn type_texts(mut self, value: &'static str, description: &'static str) -> Self {
        self.type_texts = Some((value, description));
        self
    }
}

impl Parameter {
    /// Every name.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.names.split('|')
    }

    /// The name it is shown under (Core: `GetFirstName`).
    #[must_use]
    pub(crate) fn first_name(&self) -> &'static str {
        self.aliases().next().unwrap_or_default()
    }

    /// Whether it may be left out.
    #[must_use]
    pub(crate) fn is_optional(&self) -> bool {
        self.presence != Presence::Required
    }

    /// The keys that may also be passed as named arguments.
    #[must_use]
    pub(crate) fn named_only(&self) -> &'static [Self] {
        match self.kind {
            ParameterType::NamedOptions(inner) => inner,
            _ => &[],
        }
    }
}
