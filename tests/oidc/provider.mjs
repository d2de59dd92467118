// A real provider of OpenID Connect for the tests: node provider.mjs CONFIG.json
// {"issuer", "port", "cert", "key", "jwks", "clients", "people": {"anna": ["group", ...]}}
// The people are read anew each time.
import fs from 'node:fs';
import https from 'node:https';
import Provider from 'oidc-provider';

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const people = () => JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).people;
const provider = new Provider(config.issuer, {
  clients: config.clients,
  jwks: config.jwks,
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  conformIdTokenClaims: false, // claims in the ID token, where the server reads them
  cookies: { keys: ['a test'] },
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true, methods: ['S256'] },
  findAccount: (_ctx, id) => (id in people()
    ? { accountId: id, claims: () => ({ sub: `subject-${id}`, preferred_username: id, groups: people()[id] }) }
    : undefined),
});
for (const event of ['grant.success', 'grant.error'])
  provider.on(event, (ctx, error) => console.log(event, ctx.oidc.params.grant_type, error?.error_description ?? ''));
provider.on('refresh_token.destroyed', (token) => console.log('destroyed', token.accountId));
https.createServer({ cert: fs.readFileSync(config.cert), key: fs.readFileSync(config.key) }, provider.callback())
  .listen(config.port, '127.0.0.1', () => console.log('listening'));
