use std::fs::hard_link;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::thread;

use super::super::state_directory::StateDirectory;
use super::*;

fn attachment(control: &Path) -> Attachment {
    Attachment {
        path: PathBuf::new(),
        name: String::new(),
        pid: 1,
        ready: false,
        network: "devnet".to_owned(),
        spec: None,
        directory: PathBuf::from("/nowhere"),
        is_temporary: false,
        control: control.to_owned(),
        seed: 1,
        mnemonic: String::new(),
        accounts: Vec::new(),
        nodes: Vec::new(),
        prometheus: PathBuf::new(),
    }
}

/// A file as of a devnet that was killed: it stays, and nobody holds it.
fn left_by_a_killed_one(devnets: &Path, attachment: &mut Attachment) {
    let file = AttachmentFile::create(devnets, None, attachment).unwrap();
    let aside = devnets.join("aside");
    hard_link(&file.path, &aside).unwrap();
    let path = file.path.clone();
    drop(file);
    make_private(devnets).unwrap();
    fs::rename(aside, path).unwrap();
}

#[test]
fn one_that_runs_is_found_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let devnets = folder.path().join("devnet");
    // A socket that cannot be seen from here says nothing.
    let socket = folder.path().join("control");
    assert!(matches!(Attachment::find(&devnets, None), Err(DevnetError::NotRunning { .. })));
    let mut first = AttachmentFile::create(&devnets, None, &mut attachment(&socket)).unwrap();
    assert_eq!(fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut found = Attachment::find(&devnets, None).unwrap();
    assert_eq!(found.name, "devnet");
    found.ready = true;
    first.rewrite(&found).unwrap();
    assert!(Attachment::find(&devnets, None).unwrap().ready);
    let second = AttachmentFile::create(&devnets, None, &mut attachment(&socket)).unwrap();
    assert!(matches!(Attachment::find(&devnets, None), Err(DevnetError::Several { .. })));
    assert_eq!(Attachment::find(&devnets, Some("devnet-2")).unwrap().name, "devnet-2");
    let named = AttachmentFile::create(&devnets, Some("devnet"), &mut attachment(&socket));
    assert!(matches!(named, Err(DevnetError::Running { .. })));
    drop((first, second));
    assert!(!devnets.exists(), "nothing stays");
}

#[test]
fn what_a_killed_one_left_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let data = StateDirectory::temporary().unwrap();
    let mut left = attachment(&folder.path().join("no-socket"));
    (left.directory, left.is_temporary) = (data.path().to_owned(), true);
    left_by_a_killed_one(folder.path(), &mut left);
    assert!(matches!(Attachment::find(folder.path(), None), Err(DevnetError::NotRunning { .. })));
    assert!(!data.path().exists(), "its data go");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "its file goes");
}

#[test]
fn of_many_that_start_after_a_kill_each_has_its_file() {
    const COUNT: usize = 8;
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("no-socket");
        left_by_a_killed_one(folder.path(), &mut attachment(&socket));
        let together = Barrier::new(COUNT);
        let files: Vec<_> = thread::scope(|scope| {
            let start = || {
                together.wait();
                AttachmentFile::create(folder.path(), None, &mut attachment(&socket)).unwrap()
            };
            let starts: Vec<_> = (0..COUNT).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(Attachment::all(folder.path()).len(), COUNT);
        drop(files);
        assert_eq!(Attachment::all(folder.path()), []);
    }
}

#[test]
fn a_file_that_is_another_devnets_by_now_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut attached = attachment(&folder.path().join("control"));
    let mut first = AttachmentFile::create(folder.path(), None, &mut attached).unwrap();
    fs::remove_file(&first.path).unwrap();
    let second = AttachmentFile::create(folder.path(), None, &mut attachment(&folder.path().join("other"))).unwrap();
    assert_eq!(first.path, second.path);
    assert!(first.rewrite(&attached).is_err());
    drop(first);
    assert_eq!(Attachment::find(folder.path(), None).unwrap().control, folder.path().join("other"));
}

#[test]
fn a_copy_leads_to_the_devnet_and_never_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let devnets = folder.path().join("devnets");
    let data = StateDirectory::temporary().unwrap();
    let mut attached = attachment(&folder.path().join("control"));
    (attached.directory, attached.is_temporary) = (data.path().to_owned(), true);
    let file = AttachmentFile::create(&devnets, None, &mut attached).unwrap();
    let copy = folder.path().join("copy.json");
    fs::copy(&file.path, &copy).unwrap();
    assert_eq!(Attachment::read_live(&copy).unwrap().path(), file.path);
    drop(file);
    assert!(matches!(Attachment::of_variable(&copy), Err(DevnetError::Variable { .. })));
    let other = AttachmentFile::create(&devnets, None, &mut attachment(&folder.path().join("other"))).unwrap();
    assert_eq!(Attachment::read_live(&copy), None, "another devnet has the name");
    assert!(data.path().exists() && other.path.exists());
}
