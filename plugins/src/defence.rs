//! The defences that are no numbers. In a built program they are all on, and nothing can change that; this crate's own tests
//! switch one off to prove that the attack it stands against would succeed (`plugins/README.md`, the table of attacks).

/// One defence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defence {
    /// Only granted origins and recipients are sent to.
    AllowList,
    /// Addresses that a name resolves to are checked.
    AddressCheck,
    /// Hosts are taken in their one canonical spelling only.
    CanonicalHost,
    /// An origin is scheme, host and port, and nothing else.
    OriginOnly,
    /// Answers that point elsewhere are not followed.
    NoRedirects,
    /// Headers that frame a request are the host's; values have no line breaks.
    HeaderRules,
    /// Secrets are cut out of what is shown.
    Redaction,
    /// A signature's key holds a secret.
    SecretInKey,
    /// Only the interface's own imports are linked.
    ImportCheck,
    /// What the cache holds is proved to be its own.
    CacheMac,
    /// A grant is for one digest and one set of wishes.
    GrantBinding,
    /// Failing components are put aside.
    Quarantine,
    /// What a component answers is held within the interface's bounds.
    AnswerBounds,
}

/// Which defences are on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defences {
    #[cfg(test)]
    off: Vec<Defence>,
}

impl Defences {
    /// Whether a defence is on: always, outside of tests.
    #[cfg(not(test))]
    pub(crate) fn on(&self, _: Defence) -> bool {
        true
    }

    #[cfg(test)]
    pub(crate) fn on(&self, defence: Defence) -> bool {
        !self.off.contains(&defence)
    }

    /// All defences but these.
    #[cfg(test)]
    pub(crate) fn without(off: &[Defence]) -> Defences {
        Defences { off: off.to_vec() }
    }
}
