# What carries requests out may do: make entries, policies of services, and tokens that write one value.
# It reads no value by itself, but who may write policies can write one that does: for the protected
# branch's own login, and for no person. `secret` is secrets.mount of idp-platform.yaml.
path "secret/metadata/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

path "secret/subkeys/*" {
  capabilities = ["read"]
}

path "sys/policies/acl/idp:*" {
  capabilities = ["create", "read", "update", "delete"]
}

path "auth/token/create/idp-writer" {
  capabilities = ["create", "update"]
}
