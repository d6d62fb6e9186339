// SPDX-License-Identifier: GPL-3.0-or-later
//! What the words before a number say that it is, in the languages of Windows.

/// What is said of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// That it is an error or a code, and not which.
    Error,
    /// An error of a system call or of the service manager.
    System,
    /// A status: NTSTATUS, or what the boot manager shows.
    Status,
    /// A stop error.
    Stop,
    /// Why the Remote Desktop client was disconnected.
    Disconnect,
    /// The extended reason beside it.
    Extended,
    /// An event's number.
    Event,
    /// Something that is no code: a port, a version, a time.
    Other,
}

/// Words as they are folded; inflected forms by their stem. Scripts without blanks are in it too.
const WORDS: &[(&str, Said)] = &[
    ("error", Said::Error),
    ("err", Said::Error),
    ("code", Said::Error),
    ("codes", Said::Error),
    ("failed", Said::System),
    ("failure", Said::Error),
    ("fehler", Said::Error),
    ("fehlercode", Said::Error),
    ("erreur", Said::Error),
    ("errore", Said::Error),
    ("erro", Said::Error),
    ("codice", Said::Error),
    ("codigo", Said::Error),
    ("ошибк", Said::Error),
    ("код", Said::Error),
    ("错误", Said::Error),
    ("錯誤", Said::Error),
    ("代码", Said::Error),
    ("代碼", Said::Error),
    ("失败", Said::System),
    ("エラー", Said::Error),
    ("コート", Said::Error),
    ("exception", Said::Status),
    ("excepcion", Said::Status),
    ("system error", Said::System),
    ("systemfehler", Said::System),
    ("系统错误", Said::System),
    ("winerror", Said::System),
    ("win32", Said::System),
    ("startservice", Said::System),
    ("openservice", Said::System),
    ("createservice", Said::System),
    ("controlservice", Said::System),
    ("getlasterror", Said::System),
    ("errno", Said::System),
    ("hresult", Said::Error),
    ("hr", Said::Error),
    ("status", Said::Status),
    ("ntstatus", Said::Status),
    ("state", Said::Other),
    ("状态为", Said::Other),
    ("zustand", Said::Other),
    ("stop", Said::Stop),
    ("stop code", Said::Stop),
    ("stopcode", Said::Stop),
    ("stopp-code", Said::Stop),
    ("stopp", Said::Stop),
    ("code d'arret", Said::Stop),
    ("停止代码", Said::Stop),
    ("停止コート", Said::Stop),
    ("停止エラー", Said::Stop),
    ("终止代码", Said::Stop),
    ("bugcheck", Said::Stop),
    ("bugcheck code", Said::Stop),
    ("bugcheck_code", Said::Stop),
    ("bug check", Said::Stop),
    ("bsod", Said::Stop),
    ("bluescreen", Said::Stop),
    ("blue screen", Said::Stop),
    ("синий экран", Said::Stop),
    ("蓝屏", Said::Stop),
    ("ブルースクリーン", Said::Stop),
    ("ecran bleu", Said::Stop),
    ("pantalla azul", Said::Stop),
    ("tela azul", Said::Stop),
    ("schermata blu", Said::Stop),
    ("disconnect", Said::Disconnect),
    ("disconnected", Said::Disconnect),
    ("disconnect reason", Said::Disconnect),
    ("disconnect code", Said::Disconnect),
    ("reason", Said::Disconnect),
    ("reason code", Said::Disconnect),
    ("rdp error", Said::Disconnect),
    ("rdp error code", Said::Disconnect),
    ("gateway error", Said::Disconnect),
    ("trennungsgrund", Said::Disconnect),
    ("причин", Said::Disconnect),
    ("原因", Said::Disconnect),
    ("extended", Said::Extended),
    ("extended error", Said::Extended),
    ("extended code", Said::Extended),
    ("event", Said::Event),
    ("events", Said::Event),
    ("event id", Said::Event),
    ("eventid", Said::Event),
    ("id", Said::Event),
    ("ereignis", Said::Event),
    ("ereignis-id", Said::Event),
    ("evenement", Said::Event),
    ("evento", Said::Event),
    ("событи", Said::Event),
    ("事件", Said::Event),
    ("事件 id", Said::Event),
    ("イヘント", Said::Event),
    ("port", Said::Other),
    ("version", Said::Other),
    ("versione", Said::Other),
    ("build", Said::Other),
    ("windows", Said::Other),
    ("server", Said::Other),
    ("type", Said::Other),
    ("logontype", Said::Other),
    ("typ", Said::Other),
    ("pid", Said::Other),
    ("line", Said::Other),
    ("level", Said::Other),
    ("tls", Said::Other),
    ("ssl", Said::Other),
    ("udp", Said::Other),
    ("tcp", Said::Other),
    ("rule", Said::Other),
    ("process", Said::Other),
    ("exit", Said::Other),
    ("tls protocol defined", Said::Other),
    ("fatal alert", Said::Other),
];

/// Parts of words that make any code the extended one; in some languages they stand behind "code".
const EXTENDED: [&str; 11] = [
    "extended",
    "erweitert",
    "etendu",
    "extendido",
    "estendido",
    "expandido",
    "esteso",
    "estesa",
    "расширенн",
    "扩展",
    "拡張",
];

/// How far a word may be from its number.
const REACH: usize = 56;

/// What the text right before a number says of it. `before` ends where the number begins.
pub(super) fn said(before: &str) -> Option<Said> {
    let from = before
        .char_indices()
        .rev()
        .nth(REACH)
        .map_or(0, |(at, _)| at);
    let near = before.get(from..)?;
    // What stood in an earlier sentence is over.
    let near = near.rsplit(". ").next().unwrap_or(near);
    if EXTENDED.iter().any(|part| near.contains(part)) && nearest(near).is_some() {
        return Some(Said::Extended);
    }
    if near.contains("tls protocol defined") {
        return Some(Said::Other);
    }
    nearest(near)
}

/// The last word that says something, and of those that end together the longest; it must not be
/// far away.
fn nearest(near: &str) -> Option<Said> {
    let mut best: Option<(usize, usize, Said)> = None;
    for (word, said) in WORDS {
        for (at, _) in near.match_indices(word) {
            let end = at.saturating_add(word.len());
            if !stands_alone(near, at, end) || !is_near(near.get(end..).unwrap_or_default(), *said)
            {
                continue;
            }
            let rank = (end, word.len());
            if best.is_none_or(|(end, length, _)| rank > (end, length)) {
                best = Some((end, word.len(), *said));
            }
        }
    }
    best.map(|(_, _, said)| said)
}

/// Whether an alphabetic word is not a part of another one; stems may go on in Cyrillic.
fn stands_alone(text: &str, at: usize, end: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let behind = text.get(end..).and_then(|text| text.chars().next());
    let glued = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_latin = text.get(at..end).is_some_and(|word| word.is_ascii());
    !is_latin || !glued(before) && !glued(behind)
}

/// Whether what stands between a word and its number lets the one speak of the other.
fn is_near(between: &str, said: Said) -> bool {
    let words = between
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty());
    let count = words.count();
    match said {
        // "port 3389", "Windows 10": nothing between.
        Said::Other => count == 0 || between.trim() == "is" || between.trim() == "code is",
        Said::Event | Said::Disconnect => count <= 1,
        Said::Stop => count <= 2,
        // "The error code returned from the cryptographic module is".
        _ => count <= 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::fold::fold;

    #[test]
    fn the_words_before_say_what_it_is() {
        for (before, want) in [
            ("Error ", Some(Said::Error)),
            ("Fehler ", Some(Said::Error)),
            ("Код ошибки: ", Some(Said::Error)),
            ("Расширенный код ошибки: ", Some(Said::Extended)),
            ("Code d’erreur étendu : ", Some(Said::Extended)),
            ("拡張エラー コード: ", Some(Said::Extended)),
            ("エラー コード: ", Some(Said::Error)),
            ("错误代码：", Some(Said::Error)),
            ("发生系统错误 ", Some(Said::System)),
            ("[SC] StartService FEHLER ", Some(Said::Error)),
            ("Event ID: ", Some(Said::Event)),
            ("STOP: ", Some(Said::Stop)),
            ("Sub Status:\t\t", Some(Said::Status)),
            ("listens on port ", Some(Said::Other)),
            ("of Windows ", Some(Said::Other)),
            ("The internal error state is ", Some(Said::Other)),
            (
                "The error code returned from the cryptographic module is ",
                Some(Said::Error),
            ),
            ("nothing of the kind ", None),
            ("terrors ", None),
        ] {
            assert_eq!(said(&fold(before)), want, "{before}");
        }
    }
}
