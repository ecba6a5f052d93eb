/** Names of variables that hold passwords and keys. */
export const SECRET_NAME = /(PASSW(OR)?D|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL)/i;

/** Values that are keys, whatever they are called. */
export const SECRET_VALUE = /(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----)/;

/** Paths of files that usually hold passwords and keys. */
export const SECRET_FILE =
	/(^|\/)(id_(rsa|dsa|ecdsa|ed25519)|\.env(\.(local|production|secret))?|\.netrc|\.pgpass|\.git-credentials|\.aws(\/credentials)?|\.docker\/config\.json|\.kube\/config|\.ssh|[^/]*\.pem|[^/]*\.key)$/;
