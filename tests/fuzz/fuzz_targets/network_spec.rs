//! Reading a network's spec file: an error or a network whose numbers are usable.
#![no_main]

use cairn_chain::params::spec_file::NetworkSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(spec) = NetworkSpec::parse(text) else { return };
    if let Ok(params) = spec.into_params() {
        let _ = params.spec_hash();
        assert!(params.consensus.subsidy_halving_interval > 0);
        assert!(params.consensus.pow.target_spacing > 0);
    }
});
