//! The file that `cairn config init` writes.

use super::key::Key;

/// Columns of a line.
const WIDTH: usize = 100;

/// A file with all keys, their meanings and their defaults, in comments: as it is, it sets nothing.
pub(crate) fn template() -> String {
    let mut text = "# What cairn is to do. A key that is commented out has the value that stands there.\n\
                    # The environment (CAIRN_KEY_NAME) counts more than this file, the command line (--key-name) most.\n"
        .to_owned();
    let mut heading = String::new();
    for key in Key::all() {
        if heading != key.heading {
            heading.clone_from(&key.heading);
            text += &format!("\n\n# ---- {heading} ----\n");
        }
        text.push('\n');
        for line in wrap(&key.help) {
            text += &format!("# {line}\n");
        }
        let is_set = !key.defaults.is_empty();
        let example = [key.value_name.clone()];
        let value = key.to_toml(if is_set { &key.defaults } else { &example });
        // What has no value by default is set apart: only what it may look like stands there.
        let note = if is_set { "" } else { "  # not set" };
        text += &format!("#{} = {value}{note}\n", key.name);
    }
    text
}

/// The text in lines.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + word.chars().count() + 3 > WIDTH {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}
