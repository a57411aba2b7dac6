use std::collections::BTreeSet;

use schema::unicode_host;

use super::fold::fold;

/// Maximum number of words of an entity's names. Later words are not found.
const MAX_NAME_WORDS: usize = 24;

/// Maximum number of other words of an entity: a tenant's key and domains. Later ones are not found.
const MAX_WHOLE_WORDS: usize = 51;

/// Maximum length of a word in characters. Longer words are found by their start.
const MAX_LENGTH: usize = 64;

/// The folded words by which an entity is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(BTreeSet<String>);

impl Words {
    /// Returns the words of a tenant: its key, the words of its name, and its domains.
    #[must_use]
    pub fn of_tenant<'a>(
        key: &'a str,
        name: &'a str,
        domains: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::of([name], [key].into_iter().chain(domains))
    }

    /// Returns the words of a lead: those of its names, its email address, and the host of the
    /// address.
    #[must_use]
    pub fn of_lead<'a>(names: impl IntoIterator<Item = &'a str>, email: &'a str) -> Self {
        let host = email.rsplit_once('@').map(|(_, host)| host);
        Self::of(names, [email].into_iter().chain(host))
    }

    /// Returns the word of a contact: its email address.
    #[must_use]
    pub fn of_contact(email: &str) -> Self {
        Self::of([], [email])
    }

    fn of<'a>(
        names: impl IntoIterator<Item = &'a str>,
        whole: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut words = BTreeSet::new();
        for part in names.into_iter().flat_map(parts) {
            if words.len() < MAX_NAME_WORDS {
                words.insert(part);
            }
        }
        for word in whole.into_iter().take(MAX_WHOLE_WORDS) {
            words.insert(shortened(&fold(word)));
            words.extend(as_written(word).map(|word| shortened(&fold(&word))));
        }
        words.remove("");
        Self(words)
    }

    /// Returns the words in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the words that `others` do not have.
    pub fn without<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.difference(&others.0).map(String::as_str)
    }

    /// Adds the words of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns whether one of the words starts with `start`.
    fn start_with(&self, start: &str) -> bool {
        self.0.range(start.to_owned()..).next().is_some_and(|word| word.starts_with(start))
    }
}

/// The text of a search: starts of words, all of which an entity must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(Vec<String>);

impl SearchText {
    /// Reads the text as typed. Only white space separates words, so that an email address stays
    /// one word.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        let starts: BTreeSet<_> = fold(typed).split_whitespace().filter_map(trimmed).collect();
        let mut starts: Vec<_> = starts.into_iter().collect();
        starts.sort_by_key(|start| std::cmp::Reverse(start.chars().count()));
        Self(starts)
    }

    /// Returns the starts of words, longest first: a longer one is usually rarer.
    #[must_use]
    pub fn starts(&self) -> &[String] {
        &self.0
    }

    /// Returns whether an entity with these `words` is searched for.
    #[must_use]
    pub fn matches(&self, words: &Words) -> bool {
        !self.0.is_empty() && self.0.iter().all(|start| words.start_with(start))
    }
}

/// Returns the words of a name: what white space separates and, if it has punctuation inside, also
/// its parts. So `O'Neil` is found by `o'neil` and by `neil`.
fn parts(name: &str) -> Vec<String> {
    let name = fold(name);
    let words = name.split_whitespace().filter_map(trimmed);
    words
        .flat_map(|word| {
            let parts =
                word.split(is_punctuation).filter(|part| (1..word.len()).contains(&part.len()));
            let parts: Vec<_> = parts.map(str::to_owned).collect();
            std::iter::once(word).chain(parts)
        })
        .collect()
}

/// Returns a host name or an email address as people write it, if it is stored with A-labels.
fn as_written(word: &str) -> Option<String> {
    let (local, host) =
        word.rsplit_once('@').map_or((None, word), |(local, host)| (Some(local), host));
    let host = host.contains("xn--").then(|| unicode_host(host))?;
    Some(local.map_or_else(|| host.to_string(), |local| format!("{local}@{host}")))
}

/// Returns a folded word without punctuation around it. Returns `None` if nothing is left.
fn trimmed(word: &str) -> Option<String> {
    let word = word.trim_matches(is_punctuation);
    (!word.is_empty()).then(|| shortened(word))
}

fn is_punctuation(letter: char) -> bool {
    !letter.is_alphanumeric()
}

fn shortened(word: &str) -> String {
    word.chars().take(MAX_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<String> {
        Words::of_tenant("k1", name, ["acme.test"]).0.into_iter().collect()
    }

    #[test]
    fn a_name_has_its_words_and_their_parts() {
        assert_eq!(words("Acme"), ["acme", "acme.test", "k1"]);
        assert_eq!(
            words("  O'Neil & Söhne, (GmbH)  "),
            ["acme.test", "gmbh", "k1", "neil", "o", "o'neil", "sohne"]
        );
        assert_eq!(words("-- ⚙ --"), ["acme.test", "k1"]);
        assert_eq!(words("株式会社アクメ"), ["acme.test", "k1", "株式会社アクメ"]);
    }

    #[test]
    fn words_and_their_lengths_are_bounded() {
        let many = ('a'..='z').chain('α'..='ω').map(|letter| format!("{letter} "));
        assert_eq!(words(&many.collect::<String>()).len(), MAX_NAME_WORDS + 2);
        let longest = words(&"\u{FDFA}".repeat(100)).into_iter().map(|word| word.len()).max();
        assert!(longest <= Some(MAX_LENGTH * 4));
        let domains: Vec<_> = (0..200).map(|number| format!("d{number}.test")).collect();
        let many = Words::of_tenant("k1", "Acme", domains.iter().map(String::as_str));
        assert_eq!(many.iter().count(), 1 + MAX_WHOLE_WORDS);
    }

    #[test]
    fn every_start_of_a_word_finds_it() {
        let tenant = Words::of_tenant("acme1", "Ärzte-Haus Nord", ["aerzte.test"]);
        for found in [
            "a",
            "ACME1",
            "arz",
            "ärzte-h",
            "haus",
            "n",
            "aerzte.test",
            "@aerzte.test",
            "nord haus",
            "haus, aerzte",
            "Ärzte Nord",
        ] {
            assert!(SearchText::new(found).matches(&tenant), "{found}");
        }
        for other in ["", " ", "--", "rzte", "acme2", "haus sud", "aerzte.testx"] {
            assert!(!SearchText::new(other).matches(&tenant), "{other}");
        }
        let lead = Words::of_lead(["Ada", "Lovelace", "Acme"], "Ada.L+x@Mail.test");
        for found in ["ada.l+x@mail.test", "mail.test", "love ada", "ADA.L+X@"] {
            assert!(SearchText::new(found).matches(&lead), "{found}");
        }
        let contact = Words::of_contact("Ada.L+x@Mail.test");
        assert!(SearchText::new("ada.l").matches(&contact));
        assert!(!SearchText::new("mail.test").matches(&contact), "its tenant has the domain");
    }

    #[test]
    fn an_international_domain_is_found_in_either_form() {
        let tenant = Words::of_tenant("k1", "Acme", ["xn--bcher-kva.example"]);
        let lead = Words::of_lead([], "ada@xn--bcher-kva.example");
        for found in ["bücher.example", "BÜCH", "bucher", "xn--bcher", "bücher.example."] {
            assert!(SearchText::new(found).matches(&tenant), "{found}");
            assert!(SearchText::new(found).matches(&lead), "{found}");
        }
        assert!(SearchText::new("ada@bücher.example").matches(&lead));
    }

    #[test]
    fn the_longest_start_comes_first() {
        assert_eq!(SearchText::new("gmbh a müller").starts(), ["muller", "gmbh", "a"]);
    }
}
