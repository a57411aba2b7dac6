use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical;

/// An entry as it is stored: at its place in its chain, with its MAC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedEntry {
    /// The place of the entry in its chain, from 1.
    pub seq: u64,
    /// The canonical JSON that the MAC signs.
    pub entry: String,
    /// The MAC, in hex.
    pub mac: String,
}

/// The latest entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The place of the entry in its chain.
    pub seq: u64,
    /// The MAC of the entry, in hex.
    pub mac: String,
}

/// The check that the entries of a chain are genuine and that none is missing. Entries are offered
/// in order.
#[derive(Clone, Debug)]
pub struct ChainCheck {
    chain: String,
    last: Option<ChainHead>,
    first: Option<u64>,
    entries: u64,
    broken: Option<u64>,
}

impl ChainCheck {
    /// Starts the check of `chain` behind `last`, or with the first entry that is offered. Retention
    /// deletes the oldest entries, so that one need not be number 1.
    #[must_use]
    pub fn new(chain: &str, last: Option<ChainHead>) -> Self {
        Self { chain: chain.to_owned(), last, first: None, entries: 0, broken: None }
    }

    /// Checks the next entry. `is_genuine` verifies a MAC: it takes the ID of the key, the signed
    /// text and the MAC.
    pub fn offer(&mut self, sealed: &SealedEntry, is_genuine: impl Fn(&str, &str, &str) -> bool) {
        if self.broken.is_some() {
            return;
        }
        self.first.get_or_insert(sealed.seq);
        self.entries += 1;
        if self.continues(sealed, is_genuine) {
            self.last = Some(ChainHead { seq: sealed.seq, mac: sealed.mac.clone() });
        } else {
            let expected = self.last.as_ref().map_or(sealed.seq, |last| last.seq + 1);
            self.broken = Some(expected.min(sealed.seq));
        }
    }

    /// Whether an entry is genuine and follows the last one.
    fn continues(
        &self,
        sealed: &SealedEntry,
        is_genuine: impl Fn(&str, &str, &str) -> bool,
    ) -> bool {
        let Ok(entry) = serde_json::from_str::<Value>(&sealed.entry) else { return false };
        let follows = match &self.last {
            Some(last) => last.seq + 1 == sealed.seq && entry["prev"] == *last.mac,
            None => (sealed.seq == 1) == entry["prev"].is_null(),
        };
        let is_own = entry["chain"] == *self.chain && entry["seq"] == sealed.seq;
        let key = entry["key"].as_str().unwrap_or_default();
        // Another spelling of the same value is not what was signed.
        let is_canonical = canonical(&entry) == sealed.entry;
        follows && is_own && is_canonical && is_genuine(key, &sealed.entry, &sealed.mac)
    }

    /// Ends the check at the end of the chain. `head` is its latest entry, so that entries that were
    /// cut off are missing too.
    pub fn end(&mut self, head: Option<&ChainHead>) {
        if self.broken.is_some() || self.last.as_ref() == head {
            return;
        }
        let next = self.last.as_ref().map_or(1, |last| last.seq + 1);
        self.broken = Some(head.map_or(next, |head| next.min(head.seq)));
    }

    /// Returns the number of the first checked entry.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.first
    }

    /// Returns the last genuine entry.
    #[must_use]
    pub fn last(&self) -> Option<&ChainHead> {
        self.last.as_ref()
    }

    /// Returns how many entries were checked.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns the number of the first entry that is missing or not genuine.
    #[must_use]
    pub fn broken_at(&self) -> Option<u64> {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::hmac;
    use serde_json::json;

    use super::*;
    use crate::{AddressDetail, AuditEntry, ItemChange};

    fn mac(text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        hmac::sign(&key, text.as_bytes())
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn is_genuine(key: &str, text: &str, presented: &str) -> bool {
        key == "k1" && mac(text) == presented
    }

    /// Returns a genuine entry with this number behind the one with the MAC `prev`.
    fn sealed(seq: u64, prev: Option<&str>) -> SealedEntry {
        let item = json!({ "entity": "lead", "id": format!("l{seq}"), "version": 1, "n": seq });
        let time = schema::Timestamp::from_millis(0);
        let change = ItemChange { old: None, new: item.as_object(), time };
        let entry = AuditEntry::of(change, AddressDetail::None).unwrap().signed(seq, prev, "k1");
        let mac = mac(&entry);
        SealedEntry { seq, entry, mac }
    }

    /// Returns a chain of this many entries.
    fn chain(length: u64) -> Vec<SealedEntry> {
        let mut chain: Vec<SealedEntry> = Vec::new();
        for seq in 1..=length {
            chain.push(sealed(seq, chain.last().map(|last| last.mac.as_str())));
        }
        chain
    }

    fn head(chain: &[SealedEntry]) -> Option<ChainHead> {
        chain.last().map(|last| ChainHead { seq: last.seq, mac: last.mac.clone() })
    }

    /// Returns the number of the first entry that is missing or not genuine.
    fn broken(entries: &[SealedEntry], head: Option<&ChainHead>) -> Option<u64> {
        let mut check = ChainCheck::new("leads", None);
        for entry in entries {
            check.offer(entry, is_genuine);
        }
        check.end(head);
        check.broken_at()
    }

    #[test]
    fn a_whole_chain_is_accepted_from_any_entry_that_retention_kept() {
        let whole = chain(5);
        for kept in 0..5 {
            assert_eq!(broken(&whole[kept..], head(&whole).as_ref()), None, "{kept}");
        }
        assert_eq!(broken(&[], None), None);
        let mut part = ChainCheck::new("leads", head(&whole[..2]));
        part.offer(&whole[2], is_genuine);
        assert_eq!((part.first(), part.entries(), part.broken_at()), (Some(3), 1, None));
        assert_eq!(part.last(), head(&whole[..3]).as_ref());
    }

    #[test]
    fn a_missing_moved_or_foreign_entry_is_named() {
        let whole = chain(5);
        let head = head(&whole);
        let without = |position: usize| {
            let mut entries = whole.clone();
            entries.remove(position);
            broken(&entries, head.as_ref())
        };
        assert_eq!([without(1), without(3), without(4)], [Some(2), Some(4), Some(5)]);
        assert_eq!(broken(&[], head.as_ref()), Some(1));
        assert_eq!(broken(&whole, None), Some(6), "a chain with entries has a head");
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert_eq!(broken(&swapped, head.as_ref()), Some(2));
        let mut check = ChainCheck::new("operators", None);
        check.offer(&whole[0], is_genuine);
        assert_eq!(check.broken_at(), Some(1));
    }

    #[test]
    fn a_genuine_entry_with_another_number_or_predecessor_is_named() {
        let whole = chain(2);
        let mac = |position: usize| Some(whole[position].mac.as_str());
        for last in [sealed(3, mac(0)), sealed(4, mac(1))] {
            let entries = [&whole[..], &[last]].concat();
            assert_eq!(broken(&entries, head(&entries).as_ref()), Some(3), "{entries:?}");
        }
    }

    #[test]
    fn an_entry_under_an_unknown_key_is_not_genuine() {
        let mut whole = chain(3);
        whole[1].entry = whole[1].entry.replace("\"k1\"", "\"k9\"");
        whole[1].mac = mac(&whole[1].entry);
        assert_eq!(broken(&whole, head(&whole).as_ref()), Some(2));
    }

    proptest! {
        #[test]
        fn a_flipped_byte_is_found_at_its_entry(
            at in 0..4_usize, in_mac in any::<bool>(), byte in any::<prop::sample::Index>(), bit in 0..7_u32,
        ) {
            let mut whole = chain(4);
            let head = head(&whole);
            let text = if in_mac { &mut whole[at].mac } else { &mut whole[at].entry };
            let mut bytes = text.clone().into_bytes();
            let place = byte.index(bytes.len());
            bytes[place] ^= 1 << bit;
            *text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(broken(&whole, head.as_ref()), Some(whole[at].seq));
        }
    }
}
