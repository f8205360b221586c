//! What was meant by a name that is none.

/// The candidate that takes the fewest changes, and how many.
pub(super) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<(&'c str, usize)> {
    candidates.map(|candidate| (candidate, distance(name, candidate))).min_by_key(|(_, distance)| *distance)
}

/// How many letters have to be added, removed, changed or exchanged with the next one (the optimal string alignment distance).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let change = usize::from(from[i - 1] != to[j - 1]);
            let mut least = (rows[i - 1][j - 1] + change).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted() {
        for (from, to, expected) in
            [("", "", 0), ("", "abc", 3), ("rpc-prot", "rpc-port", 1), ("netwrok", "network", 1), ("cache", "cases", 3)]
        {
            assert_eq!((distance(from, to), distance(to, from)), (expected, expected), "{from} {to}");
        }
        assert_eq!(nearest("rpcport", ["rpc", "rpc-port"].into_iter()), Some(("rpc-port", 1)));
        assert_eq!(nearest("a", [].into_iter()), None);
    }
}
