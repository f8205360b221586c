//! Methods that misbehave, for tests of the server.

use crate::rpc::{Call, Category, Method, ResultDoc, RpcResult, to_result};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "panic",
        category: Category::Hidden,
        description: "Panics.",
        parameters: &[],
        results: &[ResultDoc::null("", "")],
        examples: &[],
        handler: |_| Box::pin(async { panic!("as it was told to") }),
    },
    Method {
        name: "waitforever",
        category: Category::Hidden,
        description: "Waits until the client goes or the node stops.",
        parameters: &[],
        results: &[ResultDoc::null("", "")],
        examples: &[],
        handler: |call| Box::pin(waitforever(call)),
    },
];

async fn waitforever(call: Call) -> RpcResult {
    call.wait(std::future::pending::<()>()).await?;
    to_result(&())
}
