//! Doing what the node asks.

use std::time::Instant;

use bitcoin::consensus::serialize;

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
            Command::AskCompactBlock(question) => self.ask(question),
            Command::AskBlockTransactions(question) => self.ask(question),
            Command::AddPeer(address) => self.dialer.add(Instant::now(), Target { address }),
            Command::RemovePeer { address, answer } => {
                let _ = answer.send(self.dialer.remove(&Target { address }));
            }
            Command::Dial { address, answer } => self.dial(address, Dial::Once(answer)),
            Command::Disconnect(peer) => self.disconnect(peer),
        }
    }
}
