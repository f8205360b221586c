//! Reserved for Cairn's wallet, which will sign transfers and speak to a node by JSON-RPC, as any other wallet would. It
//! holds nothing yet: a wallet needs a node to speak to, and that comes first.
