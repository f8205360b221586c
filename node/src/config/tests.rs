use std::ffi::OsString;
use std::fs;

use super::key::Key;
use super::*;
use tempfile::TempDir;

/// A data directory with a file of this content.
fn datadir(file: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("cairn.toml"), file).unwrap();
    directory
}

fn gather(directory: &TempDir, given: Given, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let datadir = [("CAIRN_DATADIR".into(), directory.path().into())];
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Settings::gather_from(&given, datadir.into_iter().chain(variables))
}

/// The configuration of a file and of an environment.
fn config(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    gather(&datadir(file), Given::default(), variables)?.resolve()
}

fn wrong(file: &str, variables: &[(&str, &str)]) -> String {
    let config = config(file, variables).and_then(|config| config.check().map(|_| ()));
    config.unwrap_err().to_string()
}

fn origin(settings: &Settings, name: &str) -> Origin {
    settings.all().iter().find(|setting| setting.key.name == name).unwrap().origin.clone()
}

#[test]
fn each_place_counts_more_than_the_one_below() {
    let directory = datadir("# a comment\ncache = 5\nthreads = 6\nrpc-port = 7\nmetrics-port = 0\n");
    let variables = [("CAIRN_CACHE", "50"), ("CAIRN_THREADS", "60")];
    let settings = gather(&directory, [("cache", "500")].into(), &variables).unwrap();
    let config: Config = settings.resolve().unwrap();
    assert_eq!((config.chain.cache, config.chain.threads, config.rpc.access.rpc_port), (500, Some(60), Some(7)));
    assert_eq!((config.metrics.metrics_port, config.mempool.max_mempool), (0, 300));

    assert_eq!(origin(&settings, "cache"), Origin::CommandLine);
    assert_eq!(origin(&settings, "threads"), Origin::Environment("CAIRN_THREADS".to_owned()));
    let file = directory.path().join("cairn.toml");
    assert_eq!(origin(&settings, "rpc-port"), Origin::File(format!("{}, line 4", file.display())));
    assert_eq!(origin(&settings, "max-mempool"), Origin::Default);
    assert_eq!(settings.file(), file);
}

#[test]
fn a_part_of_the_keys_can_be_asked_for() {
    let settings = gather(&datadir("cache = 5\nrpc = false"), Given::default(), &[]).unwrap();
    assert_eq!(settings.resolve::<ChainConfig>().unwrap().cache, 5);
    assert_eq!(settings.resolve::<BlocksConfig>().unwrap().prune, None);
}

#[test]
fn every_kind_of_value_can_stand_in_the_file() {
    let file = r#"
network = "regtest"
test-activation-height = ["csv@5", "segwit@7"]
prune = 1_000
min-relay-fee = 0.125
dust-relay-fee = "3"
persist-mempool = false
rpc-listen = "0.0.0.0"
metrics-listen = ["127.0.0.1:0", "::1"]
rpc-whitelist = ["alice:getblock,help", "bob:stop"]
log-format = "json"
"#;
    let config = config(file, &[]).unwrap();
    assert_eq!(config.chain.network.test_activation_height.len(), 2);
    let params = config.check().unwrap();
    assert_eq!(params.consensus.activation.csv, 5);
    assert_eq!(config.chainstate_options(&params).prune_target, Some(1000 << 20));
    let rates = (config.mempool.min_relay_fee.sat_per_kvb(), config.mempool.dust_relay_fee.sat_per_kvb());
    assert_eq!(rates, (125, 3000));
    assert!(!config.mempool.persist_mempool);
    assert_eq!(config.rpc.addresses(&config.check().unwrap()), ["0.0.0.0:18443".parse().unwrap()]);
    let addresses: Vec<_> = config.metrics.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.0.0.1:0", "[::1]:9332"]);
    assert_eq!(config.rpc.rpc_whitelist.len(), 2);
    assert_eq!(config.log.log_format, LogFormat::Json);
}

#[test]
fn variables_hold_lists_and_nothing() {
    let variables = [("CAIRN_METRICS_LISTEN", "127.0.0.1:0  ::1"), ("CAIRN_RPC", "false"), ("CAIRN_CACHE", "")];
    let config = config("", &variables).unwrap();
    assert_eq!(config.metrics.metrics_listen.len(), 2);
    assert_eq!((config.rpc.rpc, config.chain.cache), (false, 450));
    assert!(config.rpc.addresses(&config.check().unwrap()).is_empty());
}

#[test]
fn a_service_is_off_at_port_0_but_for_addresses_with_a_port() {
    let addresses = |file: &str| config(file, &[]).unwrap().metrics.addresses();
    assert_eq!(addresses("metrics-port = 0"), []);
    assert_eq!(
        addresses("metrics-port = 0\nmetrics-listen = ['127.0.0.1', '127.0.0.1:0']"),
        ["127.0.0.1:0".parse().unwrap()]
    );
    assert_eq!(addresses(""), ["127.0.0.1:9332".parse().unwrap()]);
}

#[test]
fn the_network_is_chosen_once() {
    let directory = datadir("spec = 'acme.toml'");
    let settings = gather(&directory, [("network", "regtest")].into(), &[]).unwrap();
    let chain: NetworkConfig = settings.resolve().unwrap();
    assert_eq!((chain.network.as_str(), chain.spec), ("regtest", None));
    assert_eq!(origin(&settings, "spec"), Origin::Default);

    let settings = gather(&datadir("network = 'main'"), Given::default(), &[("CAIRN_SPEC", "acme.toml")]).unwrap();
    let chain: NetworkConfig = settings.resolve().unwrap();
    assert_eq!((chain.network.as_str(), chain.spec), ("cairn", Some("acme.toml".into())));

    assert_eq!(wrong("network = 'main'\nspec = 'acme.toml'", &[]), "network and spec cannot both be set");
    assert_eq!(wrong("tx-index = true\nprune = 550", &[]), "Prune mode is incompatible with -txindex.");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let directory = TempDir::new().unwrap();
    gather(&directory, Given::default(), &[]).unwrap();
    let missing = directory.path().join("missing.toml");
    let text = missing.to_str().unwrap();
    let expected = format!("cannot read {text}: No such file or directory (os error 2)");
    for (given, variables) in [([("config", text)].into(), vec![]), (Given::default(), vec![("CAIRN_CONFIG", text)])] {
        assert_eq!(gather(&directory, given, &variables).unwrap_err().to_string(), expected);
    }
    // One that is named may move the data, and the one beside the data is not read.
    fs::write(&missing, "datadir = '/somewhere'").unwrap();
    fs::write(directory.path().join("cairn.toml"), "]").unwrap();
    let settings = Settings::gather_from(&[("config", text)].into(), std::iter::empty()).unwrap();
    assert_eq!(settings.resolve::<NetworkConfig>().unwrap().datadir().unwrap(), std::path::Path::new("/somewhere"));
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line() {
    for (file, expected) in [
        ("\nrpc-prot = 1", "line 2: there is no key 'rpc-prot'; did you mean 'rpc-port'?"),
        ("rpc_port = 1", "line 1: there is no key 'rpc_port'; did you mean 'rpc-port'?"),
        ("zzzzzzzzzz = 1", "line 1: there is no key 'zzzzzzzzzz'; 'cairn config show' lists all keys"),
        ("cache = 3", "line 1: cache: 3 is not in 4..=4294967295, got '3'"),
        ("cache = 0x10", "line 1: cache: expected a decimal number"),
        ("cache = [5]", "line 1: cache: expected one value, got a list"),
        ("cache = { a = 1 }", "line 1: cache: expected a text, a number, or true or false"),
        ("rpc-listen = []", "line 1: rpc-listen: expected at least one value; leave the key out for its default"),
        ("rpc-listen = ['localhost']", "line 1: rpc-listen: expected an IP address, with or without a port"),
        ("\n\nrpc = 'yes'", "line 3: rpc: expected one of true, false, got 'yes'"),
        ("network = 'testnet3'", "expected one of cairn, devnet, main, testnet4, signet, regtest, got 'testnet3'"),
        ("min-relay-fee = 0.0001", "min-relay-fee: expected satoshis per virtual byte with at most three decimals"),
        ("assume-valid = 'x'", "assume-valid: expected a block hash or 0, got 'x'"),
        ("datadir = '/x'", "line 1: datadir cannot be set in the file that is looked for in it"),
        ("rpc-password = 'x'", "line 1: a password has no place here"),
        ("a = 1\nb = ", "line 2: "),
        ("cache = 5\ncache = 6", "line 2: duplicate key"),
    ] {
        let message = wrong(file, &[]);
        assert!(message.contains("cairn.toml, ") && message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn variables_that_are_nearly_ours_are_wrong() {
    for (name, expected) in [
        (
            "CAIRN_RPC_PROT",
            "environment variable CAIRN_RPC_PROT: there is no key 'rpc-prot'; did you mean CAIRN_RPC_PORT?",
        ),
        ("CAIRN_NETWROK", "did you mean CAIRN_NETWORK?"),
        ("CAIRN_RPC_PASSWORD", "environment variable CAIRN_RPC_PASSWORD: a password has no place here"),
        ("CAIRN_CACHE", "environment variable CAIRN_CACHE: cache: invalid digit found in string, got 'x'"),
    ] {
        let message = wrong("", &[(name, "x")]);
        assert!(message.contains(expected), "{message}");
    }
    // What Kubernetes sets for a service of that name, and what our own tests take.
    let others = [("CAIRN_SERVICE_HOST", "x"), ("CAIRN_PORT_9332_TCP", "x"), ("CAIRN_DATA", "x"), ("CAIRN_SEED", "x")];
    let settings = gather(&datadir(""), Given::default(), &others).unwrap();
    assert_eq!(settings.ignored(), others.map(|(name, _)| name));
}

#[test]
fn values_that_do_not_go_together_are_wrong() {
    for (file, expected) in [
        ("rpc-user = 'a'", "rpc-user needs rpc-password-file to be set too"),
        ("rpc-password-file = 'a'", "rpc-password-file needs rpc-user to be set too"),
        (
            "network = 'main'\naccept-nonstandard = true",
            "accept-nonstandard: network main has standard transactions only",
        ),
        ("log-filter = 'a=b=c'", "log-filter: "),
        ("test-activation-height = 'csv@5'", "only regtest can change an activation height, got 'cairn'"),
        ("mine = '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'", "mine: expected an address of network cairn, got 1Bv"),
    ] {
        let message = wrong(file, &[]);
        assert!(message.contains(expected), "{file}: {message}");
    }
    let file = "network = 'main'\nmine = '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'";
    let config = config(file, &[]).unwrap();
    assert!(config.mining.script_pubkey(&config.check().unwrap()).unwrap().unwrap().is_p2pkh());
}

#[test]
fn the_password_is_what_its_file_holds() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("password");
    fs::write(&path, "correct horse \r\n").unwrap();
    let file = format!("rpc-user = 'a'\nrpc-password-file = '{}'", path.display());
    let (user, password) = config(&file, &[]).unwrap().rpc.access.user().unwrap().unwrap();
    assert_eq!((user.as_str(), password.reveal()), ("a", "correct horse "));
}

/// As it is the template changes nothing; with every default uncommented it changes nothing either.
#[test]
fn the_template_has_every_key_with_its_default() {
    let text = template();
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
    let mut uncommented = String::new();
    for key in Key::all() {
        let line = text.lines().find(|line| line.starts_with(&format!("#{} = ", key.name)));
        let line = line.unwrap_or_else(|| panic!("{} is missing", key.name));
        assert_eq!(line.ends_with("# not set"), key.defaults.is_empty(), "{line}");
        if !key.defaults.is_empty() {
            uncommented += &format!("{}\n", &line[1..]);
        }
        assert!(!key.help.is_empty() && !key.heading.is_empty() && !key.value_name.is_empty(), "{}", key.name);
    }
    let directory = datadir(&uncommented);
    let with = gather(&directory, Given::default(), &[]).unwrap();
    fs::write(directory.path().join("cairn.toml"), text).unwrap();
    let without = gather(&directory, Given::default(), &[]).unwrap();
    for (with, without) in with.all().iter().zip(without.all()) {
        assert_eq!(with.values, without.values, "{}", with.key.name);
    }
    assert_eq!(
        format!("{:?}", with.resolve::<Config>().unwrap()),
        format!("{:?}", without.resolve::<Config>().unwrap())
    );
}
