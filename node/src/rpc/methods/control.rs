//! The node itself (Core: `rpc/server.cpp`).

use std::time::Duration;

use serde::Serialize;

use crate::rpc::table::{find_method, help_list};
use crate::rpc::{Call, Category, Example, Method, Parameter, Presence, ResultDoc, RpcResult, to_result};

/// What `stop` answers.
const STOPPING: &str = "Cairn stopping";
/// The longest `stop` waits before it answers.
const MAX_STOP_WAIT: Duration = Duration::from_secs(60);

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getrpcinfo",
        category: Category::Control,
        description: "Returns details of the RPC server.",
        parameters: &[],
        results: &[ResultDoc::object(
            "",
            "",
            &[
                ResultDoc::array(
                    "active_commands",
                    "All active commands",
                    &[ResultDoc::object(
                        "",
                        "Information about an active command",
                        &[
                            ResultDoc::string("method", "The name of the RPC command"),
                            ResultDoc::number("duration", "The running time in microseconds"),
                        ],
                    )],
                ),
                ResultDoc::string("logpath", "The complete file path to the log; empty if there is none"),
            ],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(getrpcinfo(call)),
    },
    Method {
        name: "help",
        category: Category::Control,
        description: "List all commands, or get help for a specified command.",
        parameters: &[Parameter::string("command", Presence::Hint("all commands"), "The command to get help on")],
        results: &[ResultDoc::string("", "The help text")],
        examples: &[],
        handler: |call| Box::pin(help(call)),
    },
    Method {
        name: "stop",
        category: Category::Control,
        description: "Request a graceful shutdown of Cairn.",
        parameters: &[Parameter::number("wait", Presence::Omitted, "how long to wait in ms").hidden()],
        results: &[ResultDoc::string("", "A string with the content 'Cairn stopping'")],
        examples: &[],
        handler: |call| Box::pin(stop(call)),
    },
    Method {
        name: "uptime",
        category: Category::Control,
        description: "Returns the total uptime of the server.",
        parameters: &[],
        results: &[ResultDoc::number("", "The number of seconds that the server has been running")],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(uptime(call)),
    },
];

async fn getrpcinfo(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct ActiveCommand {
        method: &'static str,
        duration: u64,
    }
    #[derive(Serialize)]
    struct RpcInfo {
        active_commands: Vec<ActiveCommand>,
        logpath: String,
    }
    let active = call.dispatcher.active().into_iter();
    let active_commands = active
        .map(|(method, duration)| ActiveCommand {
            method,
            duration: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        })
        .collect();
    let logpath = call.dispatcher.log_path.as_ref().map_or_else(String::new, |path| path.display().to_string());
    to_result(&RpcInfo { active_commands, logpath })
}

async fn help(call: Call) -> RpcResult {
    let command: Option<String> = call.arguments.optional("command")?;
    let text = match command.as_deref().unwrap_or_default() {
        "" => help_list(),
        command => match find_method(command) {
            Some(method) => method.help(call.dispatcher.rpc_port).trim_end_matches('\n').to_owned(),
            None => format!("help: unknown command: {command}"),
        },
    };
    to_result(&text)
}

async fn stop(call: Call) -> RpcResult {
    let wait: Option<i32> = call.arguments.optional("wait")?;
    call.context.shutdown.cancel();
    // For tests: time to see that a request that runs is still answered.
    if let Some(wait) = wait.and_then(|wait| u64::try_from(wait).ok()) {
        tokio::time::sleep(Duration::from_millis(wait).min(MAX_STOP_WAIT)).await;
    }
    to_result(STOPPING)
}

async fn uptime(call: Call) -> RpcResult {
    to_result(&call.context.started.elapsed().as_secs())
}
