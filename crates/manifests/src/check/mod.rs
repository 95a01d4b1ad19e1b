//! Rules over rendered manifests.
