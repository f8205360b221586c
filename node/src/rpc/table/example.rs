//! Examples in help texts.

/// One line or more of the examples of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Example {
    kind: Kind,
    /// The method, where it is another than the one that is explained.
    method: Option<&'static str>,
    text: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cli,
    Rpc,
    Text,
}

impl Example {
    /// A command line that calls the method with these arguments (Core: `HelpExampleCli`).
    #[must_use]
    pub(crate) const fn cli(arguments: &'static str) -> Self {
        Self { kind: Kind::Cli, method: None, text: arguments }
    }

    /// An HTTP request that calls the method with these JSON values, separated by commas (Core: `HelpExampleRpc`).
    #[must_use]
    pub(crate) const fn rpc(arguments: &'static str) -> Self {
        Self { kind: Kind::Rpc, method: None, text: arguments }
    }

    /// A command line that calls another method.
    #[must_use]
    pub(crate) const fn cli_of(method: &'static str, arguments: &'static str) -> Self {
        Self { kind: Kind::Cli, method: Some(method), text: arguments }
    }

    /// An HTTP request that calls another method.
    #[must_use]
    #[cfg(test)]
    pub(crate) const fn rpc_of(method: &'static str, arguments: &'static str) -> Self {
        Self { kind: Kind::Rpc, method: Some(method), text: arguments }
    }

    /// A text between examples, with its own line ends.
    #[must_use]
    pub(crate) const fn text(text: &'static str) -> Self {
        Self { kind: Kind::Text, method: None, text }
    }

    /// The text in the help of `method`, for a server on `port`.
    pub(super) fn render(&self, method: &str, port: u16) -> String {
        let method = self.method.unwrap_or(method);
        let text = self.text;
        match self.kind {
            Kind::Cli => format!("> cairn rpc {method} {text}").trim_end().to_owned() + "\n",
            Kind::Rpc => format!(
                "> curl --user myusername --data-binary '{{\"jsonrpc\": \"2.0\", \"id\": \"curltest\", \"method\": \
                 \"{method}\", \"params\": [{text}]}}' -H 'content-type: application/json' http://127.0.0.1:{port}/\n"
            ),
            Kind::Text => text.to_owned(),
        }
    }
}
