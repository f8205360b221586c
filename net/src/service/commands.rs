//! Doing what the node asks.

use std::collections::HashSet;
use std::time::Instant;

use bitcoin::consensus::serialize;
use libp2p::PeerId;
use tracing::info;

use super::NetworkService;
use super::command::Command;
use super::dials::Dial;
use crate::banned::Banned;
use crate::error::LinkError;
use crate::handle::AddedPeer;
use crate::links::{LinkConditions, MAX_LINKS};
use crate::peer::Target;

impl NetworkService {
    pub(super) fn on_command(&mut self, command: Command) {
        // Whoever waits for an answer may have gone; nobody minds.
        match command {
            Command::Report { token, acceptance } => self.report(&token, acceptance),
            Command::PublishHeader { header, answer } => {
                let _ = answer.send(self.publish(self.topics.header.clone(), serialize(&header)));
            }
            Command::PublishTransaction { transaction, answer } => {
                let _ = answer.send(self.publish(self.topics.transaction.clone(), transaction));
            }
            Command::RelayTransactions(relay) => self.relay_transactions(relay),
            Command::AskStatus(question) => self.ask(question),
            Command::AskHeaders(question) => self.ask(question),
            Command::AskBlocks(question) => self.ask(question),
            Command::AskTransactions(question) => self.ask(question),
            Command::AskCompactBlock(question) => self.ask(question),
            Command::AskBlockTransactions(question) => self.ask(question),
            Command::AddPeer { address, answer } => {
                let _ = answer.send(self.dialer.add(Instant::now(), Target { address }));
            }
            Command::RemovePeer { address, answer } => {
                let _ = answer.send(self.dialer.remove(&Target { address }));
            }
            Command::AddedPeers(answer) => {
                let _ = answer.send(self.added_peers());
            }
            Command::Dial { address, answer } => self.dial(address, Dial::Once(answer)),
            Command::Disconnect(peer) => self.disconnect(peer),
            Command::Addresses(answer) => {
                let _ = answer.send(self.discovery.outbound.addresses());
            }
            Command::SetBanned { banned, answer } => {
                self.set_banned(&banned);
                let _ = answer.send(());
            }
            Command::SetLink { peer, conditions, answer } => {
                let _ = answer.send(self.set_link_conditions(peer, conditions));
            }
            Command::SetNetworkActive { active, answer } => {
                self.set_network_active(active);
                let _ = answer.send(());
            }
        }
    }

    /// Refuses these from now on, and nobody else who was refused.
    fn set_banned(&mut self, banned: &[Banned]) {
        let subnets = banned.iter().filter_map(|banned| match banned {
            Banned::Subnet(subnet) => Some(*subnet),
            Banned::Peer(_) => None,
        });
        let peers: HashSet<PeerId> = banned.iter().filter_map(Banned::peer).collect();
        let behaviour = self.swarm.behaviour_mut();
        behaviour.gatekeeper.set_banned(subnets.collect());
        let pardoned = behaviour.banned.blocked_peers().difference(&peers).copied().collect::<Vec<_>>();
        for peer in pardoned {
            behaviour.banned.unblock_peer(peer);
        }
        for peer in peers {
            if self.swarm.behaviour_mut().banned.block_peer(peer) {
                self.forget_candidate(&peer);
            }
        }
    }

    fn added_peers(&self) -> Vec<AddedPeer> {
        let named = self.dialer.targets();
        let added = named.filter(|(target, _)| !self.config.rendezvous.contains(&target.address));
        added.map(|(target, connected)| AddedPeer { address: target.address.clone(), connected }).collect()
    }

    /// Changes what links do from now on, and comes back at once to whom a link leads that is not cut.
    fn set_link_conditions(&mut self, peer: Option<PeerId>, conditions: LinkConditions) -> Result<(), LinkError> {
        let links = self.links.as_ref().ok_or(LinkError::Uncontrolled)?;
        conditions.check()?;
        let mut has_room = true;
        links.send_modify(|links| match peer {
            Some(peer) => has_room = links.set(peer, conditions),
            None => links.set_all(conditions),
        });
        if !has_room {
            return Err(LinkError::TooMany { limit: MAX_LINKS });
        }
        info!(peer = peer.map(tracing::field::display), ?conditions, "conditions of links changed");
        if !conditions.is_cut {
            let now = Instant::now();
            self.dialer.retry(now, peer);
            self.discovery.outbound.retry(now, peer);
            self.discovery.look_again(now);
        }
        Ok(())
    }

    fn set_network_active(&mut self, active: bool) {
        info!(active, "taking part in the network");
        self.swarm.behaviour_mut().gatekeeper.set_active(active);
        self.active.send_replace(active);
        self.discovery.look_again(Instant::now());
    }
}
