use super::*;

#[test]
fn rpcauth_entries() {
    let hash = "ab".repeat(32);
    for good in [format!("user:salt${hash}"), format!("user:salt${}", hash.to_uppercase()), format!(":${hash}")] {
        assert!(good.parse::<RpcAuth>().is_ok(), "{good}");
    }
    let bad = [
        String::new(),
        "user".to_owned(),
        "user:salt".to_owned(),
        format!("user:salt:{hash}"),
        format!("us:er:salt${hash}"),
        format!("user:salt$x${hash}"),
        format!("user:salt${}", &hash[2..]),
        format!("user:salt${hash}00"),
        format!("user$salt${hash}"),
        format!("user:salt${}g", &hash[1..]),
    ];
    for bad in bad {
        assert_eq!(bad.parse::<RpcAuth>(), Err(ParseRpcAuthError), "{bad}");
    }
}

#[test]
fn a_hashed_password_lets_in_its_user_alone() {
    let credential = RpcAuth::hash("user", &Secret::new("pässword")).unwrap();
    assert!(credential.matches(b"user", "pässword".as_bytes()));
    for (user, password) in
        [("user", "passwort"), ("user", ""), ("use", "pässword"), ("user2", "pässword"), ("", "pässword")]
    {
        assert!(!credential.matches(user.as_bytes(), password.as_bytes()), "{user} {password}");
    }
    // Two hashes of one password differ by their salts.
    assert_ne!(credential, RpcAuth::hash("user", &Secret::new("pässword")).unwrap());
}

#[test]
fn whitelists_of_one_user_are_intersected() {
    let merge = |lists: &[&str]| {
        let lists: Vec<Whitelist> = lists.iter().map(|list| list.parse().unwrap()).collect();
        let mut merged: Vec<_> = Whitelist::merge(&lists)
            .into_iter()
            .map(|(user, methods)| {
                let mut methods: Vec<_> = methods.iter().cloned().collect();
                methods.sort();
                (user, methods.join(" "))
            })
            .collect();
        merged.sort();
        merged
    };
    let expected = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(user, methods)| ((*user).to_owned(), (*methods).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(merge(&[]), []);
    assert_eq!(merge(&["a:x,y", "b: y, z"]), expected(&[("a", "x y"), ("b", "y z")]));
    assert_eq!(merge(&["a:x,y", "a:y,z"]), expected(&[("a", "y")]));
    assert_eq!(merge(&["a:x", "a:y"]), expected(&[("a", "")]));
    assert_eq!(merge(&["a"]), expected(&[("a", "")]));
    assert_eq!(merge(&["a:x", "a"]), expected(&[("a", "x")]));
    assert_eq!(merge(&["a:"]), expected(&[("a", "")]));
}
