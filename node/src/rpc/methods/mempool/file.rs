//! Saving the pool, and reading another.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde::Serialize;
use tracing::warn;

use crate::mempool_file::{ImportOptions, MempoolFiles, import};
use crate::rpc::{
    Call, Category, Example, JsonType, Method, Object, Parameter, Presence, ResultDoc, RpcError, RpcErrorCode,
    RpcResult, to_result,
};

pub(in crate::rpc::methods) const METHODS: &[Method] = &[
    Method {
        name: "importmempool",
        category: Category::Blockchain,
        description: "Import a mempool.dat file and attempt to add its contents to the mempool.\n\
            Warning: Importing untrusted files is dangerous, especially if metadata from the file is taken over.",
        parameters: &[
            Parameter::string("filepath", Presence::Required, "The mempool file"),
            Parameter::named_options(
                "options",
                Presence::Omitted,
                "",
                &[
                    Parameter::boolean(
                        "use_current_time",
                        Presence::Default("true"),
                        "Whether to use the current system time or use the entry time metadata from the mempool file.\n\
                         Warning: Importing untrusted metadata may lead to unexpected issues and undesirable behavior.",
                    ),
                    Parameter::boolean(
                        "apply_fee_delta_priority",
                        Presence::Default("false"),
                        "Whether to apply the fee delta metadata from the mempool file.\n\
                         It will be added to any existing fee deltas.\n\
                         The fee delta can be set by the prioritisetransaction RPC.\n\
                         Warning: Importing untrusted metadata may lead to unexpected issues and undesirable behavior.\n\
                         Only set this bool if you understand what it does.",
                    ),
                    Parameter::boolean(
                        "apply_unbroadcast_set",
                        Presence::Default("false"),
                        "Whether to apply the unbroadcast set metadata from the mempool file.\n\
                         Warning: Importing untrusted metadata may lead to unexpected issues and undesirable behavior.",
                    ),
                ],
            )
            .oneline("options"),
        ],
        results: &[ResultDoc::object("", "", &[])],
        examples: &[Example::cli("/path/to/mempool.dat"), Example::rpc("/path/to/mempool.dat")],
        handler: |call| Box::pin(importmempool(call)),
    },
    Method {
        name: "savemempool",
        category: Category::Blockchain,
        description: "Dumps the mempool to disk. It will fail until the previous dump is fully loaded.\n",
        parameters: &[],
        results: &[ResultDoc::object(
            "",
            "",
            &[ResultDoc::string("filename", "the directory and file where the mempool was saved")],
        )],
        examples: &[Example::cli(""), Example::rpc("")],
        handler: |call| Box::pin(savemempool(call)),
    },
];

async fn importmempool(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Imported {}
    let path = PathBuf::from(call.arguments.get::<String>("filepath")?);
    let options: Object = call.arguments.optional("options")?.unwrap_or_default();
    let types = ["use_current_time", "apply_fee_delta_priority", "apply_unbroadcast_set"];
    options.check_types(&types.map(|key| (key, Some(JsonType::Bool))), true, false)?;
    let options = ImportOptions {
        use_current_time: options.optional("use_current_time")?.unwrap_or(true),
        apply_fee_deltas: options.optional("apply_fee_delta_priority")?.unwrap_or(false),
        apply_unbroadcast: options.optional("apply_unbroadcast_set")?.unwrap_or(false),
    };
    if call.context.chain.call(|chain| chain.chainstate.is_initial_block_download()).await? {
        let message = "Can only import the mempool after the block download and sync is done.";
        return Err(RpcError::new(RpcErrorCode::ClientInInitialDownload, message));
    }
    let (_, read) = import(&call.context.chain, path, options).await?;
    if let Err(error) = read {
        warn!(%error, "the file of a pool could not be imported");
        return Err(RpcError::misc("Unable to import mempool file, see debug log for details."));
    }
    to_result(&Imported {})
}

async fn savemempool(call: Call) -> RpcResult {
    #[derive(Serialize)]
    struct Saved<'a> {
        filename: &'a Path,
    }
    if !call.context.mempool_loaded.load(Ordering::Relaxed) {
        return Err(RpcError::misc("The mempool was not loaded yet"));
    }
    let saved = call.context.chain.call(|chain| chain.mempool.to_saved()).await?;
    let files = MempoolFiles::new(&call.context.directory);
    let path = files.mempool().to_owned();
    let written = tokio::task::spawn_blocking(move || files.save(&saved)).await;
    let failed = || RpcError::misc("Unable to dump mempool to disk");
    if let Err(error) = written.map_err(|_| failed())? {
        warn!(%error, "the pool could not be saved");
        return Err(failed());
    }
    to_result(&Saved { filename: &path })
}
