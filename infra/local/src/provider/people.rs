/// A person that can sign in.
#[derive(Debug)]
pub(super) struct Person {
    /// The subject, which also selects the person on the page.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// The role that the person's group grants, if any.
    pub(super) role: Option<&'static str>,
}

/// The people that can sign in.
pub(super) const PEOPLE: &[Person] = &[
    Person { id: "ada", name: "Ada Lovelace", role: Some("admin") },
    Person { id: "grace", name: "Grace Hopper", role: Some("support") },
    Person { id: "alan", name: "Alan Turing", role: Some("viewer") },
    Person { id: "edgar", name: "Edgar Codd", role: None },
];

impl Person {
    /// Returns the person with this ID.
    pub(super) fn of(id: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.id == id)
    }

    /// Returns the group that grants the person's role.
    pub(super) fn group(&self) -> Option<String> {
        self.role.map(|role| format!("tenantry-{role}"))
    }

    pub(super) fn email(&self) -> String {
        format!("{}@tenantry.test", self.id)
    }
}
