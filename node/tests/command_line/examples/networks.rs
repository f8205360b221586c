//! Networks and their spec files.

use super::{Example, run};
use crate::stage::Stage;

pub(super) const EXAMPLES: &[Example] = &[
    Example::Ends("cairn network list"),
    Example::Ends("cairn network list --json"),
    Example::Ends("cairn network show cairn"),
    Example::Ends("cairn network show devnet"),
    Example::Ends("cairn network show --spec acme.toml --json"),
    Example::Ends("cairn network check acme.toml"),
    Example::Ends("cairn network mine-genesis acme.toml"),
];

const SPEC: &str = r#"name = "acme"
target_spacing = 30
[retarget]
algorithm = "asert"
[subsidy]
initial = 50
halving_interval = 1000
[genesis]
time = 1795219200
message = "acme"
bits = 0x1f7fffff
"#;

#[test]
fn networks() {
    let stage = Stage::new();
    stage.write("draft.toml", SPEC);
    let nonce = stage.run("cairn network mine-genesis draft.toml", "");
    stage.write("acme.toml", SPEC.to_owned() + &nonce);
    run(&stage, EXAMPLES);
}
