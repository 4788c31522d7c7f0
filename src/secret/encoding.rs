//! Text that may be written in another way: percent-encoded, as HTML, in a JSON string.

/// What follows `plain` at the beginning of `text`, where each character of it may be encoded.
pub(super) fn strip<'a>(text: &'a str, plain: &str) -> Option<&'a str> {
    text.strip_prefix(plain)
        .or_else(|| plain.chars().try_fold(text, strip_char))
}

/// What an encoded character begins with.
pub(super) const BEGINS: [char; 4] = ['%', '&', '\\', '+'];

fn strip_char(text: &str, wanted: char) -> Option<&str> {
    if !text.starts_with(BEGINS) {
        return text.strip_prefix(wanted);
    }
    let escaped = || escaped(text).filter(|(found, _)| *found == wanted);
    percent_encoded(text, wanted)
        .or_else(|| escaped().map(|(_, rest)| rest))
        .or_else(|| text.strip_prefix(wanted))
}

/// What follows `wanted`, whose bytes in UTF-8 are percent-encoded.
fn percent_encoded(text: &str, wanted: char) -> Option<&str> {
    if wanted == ' ' && text.starts_with('+') {
        return Some(&text[1..]);
    }
    let mut bytes = [0; 4];
    let bytes = wanted.encode_utf8(&mut bytes).as_bytes();
    bytes.iter().try_fold(text, |text, byte| {
        let (found, rest) = hexadecimal(text.strip_prefix('%')?, 2)?;
        (found == u32::from(*byte)).then_some(rest)
    })
}

/// The short escapes of JSON.
const SHORT: [(char, char); 8] = [
    ('"', '"'),
    ('/', '/'),
    ('\\', '\\'),
    ('b', '\u{8}'),
    ('f', '\u{c}'),
    ('n', '\n'),
    ('r', '\r'),
    ('t', '\t'),
];

/// The character that an escape in HTML or in a JSON string stands for, and what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    if let Some(rest) = text.strip_prefix('\\') {
        let (number, rest) = match rest.chars().next()? {
            'u' => hexadecimal(&rest[1..], 4)?,
            'x' => hexadecimal(&rest[1..], 2)?,
            sign => {
                let (_, character) = SHORT.iter().find(|(short, _)| *short == sign)?;
                return Some((*character, &rest[1..]));
            }
        };
        return Some((char::from_u32(number)?, rest));
    }
    let (entity, rest) = text.strip_prefix('&')?.split_once(';')?;
    let character = match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => char::from_u32(number(entity.strip_prefix('#')?)?)?,
    };
    Some((character, rest))
}

/// `61` or `x3d`
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn hexadecimal(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}
