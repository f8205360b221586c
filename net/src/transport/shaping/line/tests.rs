use std::io;
use std::num::NonZeroU64;

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

/// How long anything may take. Far longer than it does, for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(30);

/// A connection that is carried, and its other end, which is not.
struct Connection {
    ours: DuplexStream,
    theirs: TcpStream,
    line: Carried,
    links: watch::Sender<LinkTable>,
    peer: PeerId,
}

impl Connection {
    /// One whose link is like this, to a peer that is known.
    async fn with(conditions: LinkConditions) -> Self {
        let connection = Self::unknown(conditions).await;
        connection.line.authenticated(connection.peer).unwrap();
        connection
    }

    async fn unknown(conditions: LinkConditions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (socket, accepted) = futures::join!(TcpStream::connect(address), listener.accept());
        let links = watch::Sender::<LinkTable>::default();
        let peer = PeerId::random();
        links.send_modify(|links| assert!(links.set(peer, conditions)));
        let (ours, line) = carried(socket.unwrap(), links.subscribe());
        Self { ours, theirs: accepted.unwrap().0, line, links, peer }
    }

    fn set(&self, conditions: LinkConditions) {
        self.links.send_modify(|links| assert!(links.set(self.peer, conditions)));
    }
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("it happens")
}

/// What comes until the end, and how it ends.
async fn rest(mut from: impl tokio::io::AsyncRead + Unpin) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = within(from.read_to_end(&mut bytes)).await;
    (bytes, end.map(|_| ()))
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[tokio::test]
async fn all_bytes_arrive_in_order_both_ways_and_so_does_the_end() {
    let conditions = LinkConditions { latency: milliseconds(1), jitter: milliseconds(5), ..LinkConditions::default() };
    let Connection { mut ours, mut theirs, line: _line, links: _links, .. } = Connection::with(conditions).await;
    let bytes: Vec<u8> = (0..3_000_000u32).map(|number| number.to_le_bytes()[usize::from(number % 2 == 0)]).collect();
    let (first, second) = (bytes.clone(), bytes.clone());
    let sent = async {
        ours.write_all(&first).await.unwrap();
        // Half of the connection is closed; the other half goes on.
        ours.shutdown().await.unwrap();
        rest(ours).await.0
    };
    let received = async {
        let (received, end) = rest(&mut theirs).await;
        end.unwrap();
        theirs.write_all(&second).await.unwrap();
        drop(theirs);
        received
    };
    let (back, there) = within(async { futures::join!(sent, received) }).await;
    assert!(back == bytes && there == bytes);
}

#[tokio::test]
async fn latency_is_felt_by_what_we_send_and_not_by_what_we_get() {
    let latency = milliseconds(800);
    let mut connection = Connection::with(LinkConditions { latency, ..LinkConditions::default() }).await;
    let start = Instant::now();
    connection.ours.write_all(b"question").await.unwrap();
    within(connection.theirs.read_exact(&mut [0; 8])).await.unwrap();
    let there = start.elapsed();
    assert!(there >= latency, "{there:?}");
    connection.theirs.write_all(b"answer").await.unwrap();
    within(connection.ours.read_exact(&mut [0; 6])).await.unwrap();
    assert!(start.elapsed() < there + latency, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_said_of_a_peer_counts_once_it_is_known() {
    let mut connection = Connection::unknown(LinkConditions { is_cut: true, ..LinkConditions::default() }).await;
    connection.ours.write_all(b"hello").await.unwrap();
    within(connection.theirs.read_exact(&mut [0; 5])).await.unwrap();
    let error = connection.line.authenticated(connection.peer).unwrap_err().to_string();
    assert_eq!(error, format!("the link with {} is cut", connection.peer));
    assert_eq!(rest(connection.theirs).await.1.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_link_that_is_cut_breaks_its_connections_at_once() {
    let slow = LinkConditions { latency: milliseconds(1_500), ..LinkConditions::default() };
    let mut connection = Connection::with(slow).await;
    let start = Instant::now();
    connection.ours.write_all(b"too late").await.unwrap();
    connection.set(LinkConditions { is_cut: true, ..slow });
    assert_eq!(rest(connection.ours).await.0, b"");
    let (received, end) = rest(connection.theirs).await;
    assert_eq!((received, end.unwrap_err().kind()), (Vec::new(), io::ErrorKind::ConnectionReset));
    assert!(start.elapsed() < slow.latency, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_link_that_breaks_connections_does() {
    let connection = Connection::with(LinkConditions::default()).await;
    connection.set(LinkConditions { reset_rate: 600.0, ..LinkConditions::default() });
    assert_eq!(rest(connection.theirs).await.1.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_narrow_link_takes_its_time_and_a_wide_one_takes_over() {
    let bandwidth = NonZeroU64::new(100_000);
    let mut connection = Connection::with(LinkConditions { bandwidth, ..LinkConditions::default() }).await;
    let bytes = vec![7; 50_000];
    let start = Instant::now();
    let sent = connection.ours.write_all(&bytes);
    let mut received = vec![0; bytes.len()];
    let (sent, _) = within(async { futures::join!(sent, connection.theirs.read_exact(&mut received)) }).await;
    sent.unwrap();
    assert!(start.elapsed() >= milliseconds(490) && received == bytes, "{:?}", start.elapsed());

    // A hundred seconds' worth, of which the first tenth of a second is still on the narrow link.
    let bytes = vec![8; 10_000_000];
    let start = Instant::now();
    let mut received = vec![0; bytes.len()];
    connection.ours.write_all(&bytes[..20_000]).await.unwrap();
    connection.set(LinkConditions::default());
    let sent = connection.ours.write_all(&bytes[20_000..]);
    let (sent, _) = within(async { futures::join!(sent, connection.theirs.read_exact(&mut received)) }).await;
    sent.unwrap();
    assert!(start.elapsed() < Duration::from_secs(20) && received == bytes, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives() {
    let conditions = LinkConditions { latency: milliseconds(100), ..LinkConditions::default() };
    let mut connection = Connection::with(conditions).await;
    connection.ours.write_all(b"last words").await.unwrap();
    drop(connection.ours);
    let (received, end) = rest(connection.theirs).await;
    end.unwrap();
    assert_eq!(received, b"last words");
}

#[tokio::test]
async fn a_connection_has_no_more_on_its_way_than_it_may() {
    let conditions = LinkConditions { latency: Duration::from_secs(2), ..LinkConditions::default() };
    let mut connection = Connection::with(conditions).await;
    let mut accepted = 0;
    let start = Instant::now();
    let fill = async {
        loop {
            accepted += connection.ours.write(&[0; CHUNK]).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_secs(1), fill).await.is_err());
    assert!(start.elapsed() < conditions.latency, "the machine is too busy to tell");
    assert_eq!(accepted, MAX_ON_THE_WAY + CHUNK, "on the way, and in the pipe");
}
