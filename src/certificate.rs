//! Whose certificate it is, by whom it was issued and until when it is valid, for a message about one
//! that was not believed. Judging certificates is rustls's business.

use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{DateTime, Decode as _, Reader as _, SliceReader, Tag, Tagged as _};

/// `CN=git.example.com, issued by CN=Example CA, O=Example, valid until 2027-01-01T00:00:00Z`
pub fn describe(certificate: &[u8]) -> Option<String> {
    // RFC 5280, 4.1: the signed part is the first, and begins with
    let signed = *elements(AnyRef::from_der(certificate).ok()?.value())?.first()?;
    let mut fields = elements(signed.value())?.into_iter().peekable();
    // the version, if it is not the first,
    fields.next_if(|field| field.tag().is_context_specific());
    // a serial number, an algorithm,
    let mut fields = fields.skip(2);
    // the issuer, the time it is valid and the subject.
    let (issuer, validity, subject) = (fields.next()?, fields.next()?, fields.next()?);
    let until = time(*elements(validity.value())?.get(1)?)?;
    Some(format!(
        "{}, issued by {}, valid until {until}",
        name(subject)?,
        name(issuer)?
    ))
}

/// The parts of a name that people know it by.
fn name(name: AnyRef<'_>) -> Option<String> {
    const KNOWN: [(&str, &str); 3] = [("2.5.4.3", "CN"), ("2.5.4.10", "O"), ("2.5.4.11", "OU")];
    let mut parts = Vec::new();
    for set in elements(name.value())? {
        for pair in elements(set.value())? {
            let [id, value] = elements(pair.value())?[..] else {
                return None;
            };
            let id: ObjectIdentifier = id.decode_as().ok()?;
            if let Some((_, short)) = KNOWN.iter().find(|(known, _)| id.to_string() == *known) {
                parts.push(format!(
                    "{short}={}",
                    String::from_utf8_lossy(value.value())
                ));
            }
        }
    }
    let nameless = || "somebody without a name".to_owned();
    Some(if parts.is_empty() {
        nameless()
    } else {
        parts.join(", ")
    })
}

fn time(time: AnyRef<'_>) -> Option<DateTime> {
    if time.tag() == Tag::UtcTime {
        time.decode_as::<UtcTime>()
            .ok()
            .map(|time| time.to_date_time())
    } else {
        time.decode_as::<GeneralizedTime>()
            .ok()
            .map(|time| time.to_date_time())
    }
}

/// The elements of a sequence or set, from its content.
fn elements(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_of_mozillas_kind_is_described() {
        let stand_in = stand_in::Setup::default().tls().start();
        let pem = stand_in.ca_pem().unwrap();
        let Some(Ok(ureq::tls::PemItem::Certificate(certificate))) =
            ureq::tls::parse_pem(pem.as_bytes()).next()
        else {
            panic!("the CA is a certificate")
        };
        let text = describe(certificate.der()).unwrap();
        assert!(
            text.contains("issued by ") && text.contains(", valid until "),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_certificate_is_not_described() {
        for bytes in [
            &b""[..],
            b"x",
            &[0x30, 0x80],
            &[0x30, 0x03, 0x30, 0x01, 0x00],
            &[0xff; 64],
        ] {
            assert_eq!(describe(bytes), None);
        }
    }
}
