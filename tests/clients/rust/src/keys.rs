//! The published key set, kept.

use crate::conversation::Failure;
use jsonwebtoken::jwk::{Jwk, JwkSet};

/// The keys as they were published when a `kid` was last asked for that was not among them.
pub struct Keys {
    url: String,
    set: JwkSet,
}

impl Keys {
    pub fn new(url: String) -> Self {
        let set = JwkSet::default();
        Self { url, set }
    }

    pub fn find(&mut self, kid: &str) -> Result<&Jwk, Failure> {
        if self.set.find(kid).is_none() {
            self.set = ureq::get(&self.url).call()?.body_mut().read_json()?;
        }
        Ok(self
            .set
            .find(kid)
            .ok_or("No key is published under this kid")?)
    }
}
