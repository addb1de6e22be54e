//! Who may have a connection: so many in all, so many of one address, half of them kept for addresses that proved
//! themselves before.
//!
//! Strangers displace strangers: when their half is taken, a newcomer gets in, and the oldest connection of the stranger who
//! has most of them is closed for it. So nobody is kept out by others who open connections and say nothing.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The doors of one port.
#[derive(Debug)]
pub(super) struct Doors {
    most: usize,
    of_strangers: usize,
    of_a_peer: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    arrivals: u64,
    all: usize,
    strangers: usize,
    by_peer: HashMap<IpAddr, BTreeMap<u64, Connection>>,
}

#[derive(Debug)]
struct Connection {
    stranger: bool,
    close: CancellationToken,
}

/// An open connection; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Entered {
    doors: Arc<Doors>,
    peer: IpAddr,
    arrival: u64,
    close: CancellationToken,
}

impl Entered {
    /// Resolves when the connection has to make room.
    pub(super) async fn to_leave(&self) {
        self.close.cancelled().await;
    }
}

impl Doors {
    /// `most` connections, `of_a_peer` of one peer; `reserved` are for peers that are known.
    pub(super) fn new(most: usize, of_a_peer: usize, reserved: usize) -> Arc<Self> {
        let of_strangers = most.saturating_sub(reserved);
        Arc::new(Self { most, of_strangers, of_a_peer, open: Mutex::default() })
    }

    /// Lets a connection of `peer` in, unless there are too many. `knows` tells whose connections are never closed.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, knows: impl Fn(IpAddr) -> bool) -> Option<Entered> {
        let stranger = !knows(peer);
        let mut open = self.lock();
        if open.by_peer.get(&peer).is_some_and(|own| own.len() >= self.of_a_peer) {
            return None;
        }
        let full = open.all >= self.most || (stranger && open.strangers >= self.of_strangers);
        if full && !open.displace(knows) {
            return None;
        }
        open.arrivals += 1;
        let (arrival, close) = (open.arrivals, CancellationToken::new());
        open.all += 1;
        open.strangers += usize::from(stranger);
        let connection = Connection { stranger, close: close.clone() };
        open.by_peer.entry(peer).or_default().insert(arrival, connection);
        Some(Entered { doors: Arc::clone(self), peer, arrival, close })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes the oldest connection of the stranger who has most of them.
    fn displace(&mut self, knows: impl Fn(IpAddr) -> bool) -> bool {
        let strangers = self.by_peer.iter().filter(|(peer, _)| !knows(**peer));
        let oldest = |own: &BTreeMap<u64, Connection>| own.keys().next().copied().unwrap_or(u64::MAX);
        let most = strangers.max_by_key(|(_, own)| (own.len(), u64::MAX - oldest(own)));
        let Some((peer, arrival)) = most.map(|(peer, own)| (*peer, oldest(own))) else { return false };
        self.remove(peer, arrival).inspect(|gone| gone.close.cancel()).is_some()
    }

    fn remove(&mut self, peer: IpAddr, arrival: u64) -> Option<Connection> {
        let own = self.by_peer.get_mut(&peer)?;
        let gone = own.remove(&arrival)?;
        if own.is_empty() {
            self.by_peer.remove(&peer);
        }
        self.all -= 1;
        self.strangers -= usize::from(gone.stranger);
        Some(gone)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.doors.lock();
        drop(open.remove(self.peer, self.arrival));
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{Doors, Entered};

    const fn ip(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    fn is_open(entered: &Entered) -> bool {
        !entered.close.is_cancelled()
    }

    #[test]
    fn the_greediest_stranger_makes_room_and_known_peers_never_do() {
        let doors = Doors::new(6, 3, 2);
        let known = ip(9);
        let knows = |peer: IpAddr| peer == known;
        let greedy: Vec<Entered> = (0..3).map(|_| doors.enter(ip(1), knows).unwrap()).collect();
        assert!(doors.enter(ip(1), knows).is_none(), "no more of one peer");
        let modest = doors.enter(ip(2), knows).unwrap();
        let newcomer = doors.enter(ip(3), knows).unwrap();
        assert!(!is_open(&greedy[0]) && is_open(&greedy[1]), "the oldest of the one who has most");
        let friends: Vec<Entered> = (0..3).map(|_| doors.enter(known, knows).unwrap()).collect();
        assert!(!is_open(&greedy[1]) && is_open(&greedy[2]), "beyond what is kept for them they displace as well");
        assert!([&modest, &newcomer].into_iter().chain(&friends).all(is_open));
        drop((greedy, modest, newcomer, friends));
        let open = doors.lock();
        assert_eq!((open.all, open.strangers, open.by_peer.len()), (0, 0, 0));
    }

    #[test]
    fn one_connection_is_one_connection() {
        let doors = Doors::new(1, 1, 0);
        let first = doors.enter(ip(1), |_| false).unwrap();
        let second = doors.enter(ip(2), |_| false).unwrap();
        assert!(!is_open(&first) && is_open(&second));
        drop(first);
        assert_eq!(doors.lock().all, 1);
    }
}
