// SPDX-License-Identifier: GPL-3.0-or-later
//! The account of a service, in the spellings and languages that Windows takes for it.

use super::ask::{Answers, Found};
use crate::machine::{State, text};
use crate::profile::{Cause, Impact};

/// What an account is called: the neutral name, and those that a Windows in another language has.
struct Account {
    /// Without blanks, the domain left out, in lower case.
    neutral: &'static str,
    others: &'static [&'static str],
}

const ACCOUNTS: &[Account] = &[
    Account {
        neutral: "networkservice",
        others: &[
            "netzwerkdienst",
            "serviceréseau",
            "serviciodered",
            "serviziodirete",
            "serviçoderede",
            "сетеваяслужба",
            "usługasieciowa",
            "nätverkstjänst",
            "netværkstjeneste",
            "verkkopalvelu",
            "nettverkstjeneste",
            "netwerkservice",
            "hálózatiszolgáltatás",
            "síťováslužba",
            "ağhizmeti",
        ],
    },
    Account {
        neutral: "localservice",
        others: &[
            "lokalerdienst",
            "servicelocal",
            "serviciolocal",
            "serviziolocale",
            "serviçolocal",
            "локальнаяслужба",
            "usługalokalna",
            "lokaltjänst",
            "lokaltjeneste",
            "paikallinenpalvelu",
            "lokaleservice",
            "helyiszolgáltatás",
            "místníslužba",
            "yerelhizmet",
        ],
    },
    Account {
        neutral: "localsystem",
        others: &["system", "système", "sistema", "система"],
    },
];

/// How two names of accounts compare.
enum Same {
    /// Windows takes both for one.
    Yes,
    /// It is the same account where Windows speaks that language.
    InAnotherLanguage,
    No,
}

fn compare(found: &str, wanted: &str) -> Same {
    let bare = |text: &str| {
        let name = text.rsplit('\\').next().unwrap_or(text);
        let letters = name.chars().filter(|c| !c.is_whitespace());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let (found, wanted) = (bare(found), bare(wanted));
    if found == wanted {
        return Same::Yes;
    }
    let mut accounts = ACCOUNTS.iter();
    match accounts.find(|account| account.neutral == wanted) {
        Some(account) if account.others.contains(&found.as_str()) => Same::InAnotherLanguage,
        _ => Same::No,
    }
}

/// Takes out causes that are none: the right account in another spelling. In another language it is
/// unusual only.
pub(super) fn leave_out_same(answers: &mut Answers) {
    answers.found.retain_mut(|found| {
        let is_account = found.evidence.value.as_ref();
        let is_account = is_account.is_some_and(|name| name.same_as(&"ObjectName".into()));
        let texts = is_account.then(|| texts(found)).flatten();
        let Some((stored, wanted)) = texts else {
            return true;
        };
        // A domain or a machine in front makes it somebody else's account.
        let is_builtin = stored.rsplit_once('\\').is_none_or(|(domain, _)| {
            let domain = domain.to_lowercase();
            domain.starts_with("nt") || domain.contains(" nt") || domain.contains("nt-")
        });
        match compare(&stored, &wanted) {
            _ if !is_builtin => true,
            Same::Yes => false,
            Same::No => true,
            Same::InAnotherLanguage => {
                found.cause = Cause {
                    impact: Impact::Unusual,
                    text: "A service's account has the name of one language".into(),
                };
                let note = "the same account where Windows speaks that language; the neutral name \
                            is right everywhere";
                found.evidence.note = Some(note.to_owned());
                true
            }
        }
    });
}

fn texts(found: &Found) -> Option<(String, String)> {
    let read = |state: &Option<State>| match state {
        Some(State::Value(value)) => text(value),
        _ => None,
    };
    read(&found.evidence.found).zip(read(&found.evidence.wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_account_is_known_in_other_spellings() {
        let wanted = r"NT Authority\NetworkService";
        for same in [
            r"NT AUTHORITY\NETWORK SERVICE",
            r"nt authority\networkservice",
            "NetworkService",
        ] {
            assert!(matches!(compare(same, wanted), Same::Yes), "{same}");
        }
        for other in [
            r"NT-AUTORITÄT\Netzwerkdienst",
            r"AUTORITE NT\SERVICE RÉSEAU",
        ] {
            assert!(
                matches!(compare(other, wanted), Same::InAnotherLanguage),
                "{other}"
            );
        }
        for another in ["LocalSystem", r"NT AUTHORITY\LocalService", r".\admin"] {
            assert!(matches!(compare(another, wanted), Same::No), "{another}");
        }
    }
}
