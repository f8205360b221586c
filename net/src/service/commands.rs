//! Doing what the node asks.

use std::net::IpAddr;
use std::time::Instant;

use bitcoin::consensus::serialize;
use libp2p::PeerId;
use tracing::info;

use super::NetworkService;
use super::command::Command;
use super::swarm_events::Dial;
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
            Command::AddPeer(address) => self.dialer.add(Instant::now(), Target { address }),
            Command::RemovePeer { address, answer } => {
                let _ = answer.send(self.dialer.remove(&Target { address }));
            }
            Command::Dial { address, answer } => self.dial(address, Dial::Once(answer)),
            Command::Disconnect(peer) => self.disconnect(peer),
            Command::Addresses(answer) => {
                let _ = answer.send(self.discovery.outbound.addresses());
            }
            Command::Ban { peer, ip } => self.ban(peer, ip),
            Command::Unban { peer, ip } => self.unban(peer, ip),
            Command::SetNetworkActive(active) => self.set_network_active(active),
        }
    }

    fn ban(&mut self, peer: Option<PeerId>, ip: Option<IpAddr>) {
        let behaviour = self.swarm.behaviour_mut();
        if let Some(peer) = peer {
            behaviour.banned.block_peer(peer);
            self.forget_candidate(&peer);
        }
        if let Some(ip) = ip {
            self.swarm.behaviour_mut().gatekeeper.ban(ip);
        }
    }

    fn unban(&mut self, peer: Option<PeerId>, ip: Option<IpAddr>) {
        let behaviour = self.swarm.behaviour_mut();
        if let Some(peer) = peer {
            behaviour.banned.unblock_peer(peer);
        }
        if let Some(ip) = ip {
            behaviour.gatekeeper.unban(ip);
        }
    }

    fn set_network_active(&mut self, active: bool) {
        info!(active, "taking part in the network");
        self.swarm.behaviour_mut().gatekeeper.set_active(active);
        self.active.send_replace(active);
        self.discovery.look_again(Instant::now());
    }
}
