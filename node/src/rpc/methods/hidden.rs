//! For tests of clients (Core: `rpc/node.cpp`).

use crate::rpc::{Call, Category, Method, Parameter, Presence, ResultDoc, RpcResult, to_result};

const ECHO_DESCRIPTION: &str = "Simply echo back the input arguments. This command is for testing.\n\
    \nThe difference between echo and echojson is that echojson has argument conversion enabled in the client-side table \
    of cairn rpc. There is no server-side difference.";

const fn echoed(name: &'static str) -> Parameter {
    Parameter::string(name, Presence::Omitted, "").any_type()
}

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "echo",
        category: Category::Hidden,
        description: ECHO_DESCRIPTION,
        parameters: &[
            echoed("arg0"),
            echoed("arg1"),
            echoed("arg2"),
            echoed("arg3"),
            echoed("arg4"),
            echoed("arg5"),
            echoed("arg6"),
            echoed("arg7"),
            echoed("arg8"),
            echoed("arg9"),
        ],
        results: &[ResultDoc::any("", "Returns whatever was passed in")],
        examples: &[],
        handler: |call| Box::pin(echo(call)),
    },
    Method {
        name: "echojson",
        category: Category::Hidden,
        description: ECHO_DESCRIPTION,
        parameters: &[
            echoed("arg0").json_text(),
            echoed("arg1").json_text(),
            echoed("arg2").json_text(),
            echoed("arg3").json_text(),
            echoed("arg4").json_text(),
            echoed("arg5").json_text(),
            echoed("arg6").json_text(),
            echoed("arg7").json_text(),
            echoed("arg8").json_text(),
            echoed("arg9").json_text(),
        ],
        results: &[ResultDoc::any("", "Returns whatever was passed in")],
        examples: &[],
        handler: |call| Box::pin(echo(call)),
    },
];

async fn echo(call: Call) -> RpcResult {
    to_result(call.arguments.values())
}
