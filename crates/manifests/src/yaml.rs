//! YAML text as a tree that knows where each part stands.
