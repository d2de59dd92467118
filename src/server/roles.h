/* roles.h - the server's processes and the closed table of their messages.
 *
 *   supervisor  starts the others, and starts them anew when one dies: store, fronts and signer
 *               all together, the simple way to a known state, each of the rest by itself
 *   front       N of them: TLS, HTTP, WebSocket, files of the repository; no database, no key but
 *               TLS's
 *   store       the database, and every decision
 *   signer      countersigns; composes what it signs from typed requests
 *   auth        checks and makes password hashes, second factors
 *   scan        verifies uploads, writes the repository
 *   trust       writes which signers are trusted
 *   directory   asks the organisation's directory (LDAP) who people are
 *   search      looks through the inventory of the whole fleet
 *   report      runs reports, which people wrote
 *   hook        sends events to where an administrator wants them
 *   kerberos    says which machine a Kerberos ticket proves; holds the service's keytab
 *   oidc        asks the organisation's provider of OpenID Connect who people are
 *   wake        sends the packets that wake machines near the server
 *
 * Channels: from the supervisor to the store, and between the store and each of the others.
 * Descriptor 3 is the channel to the store; the store has the supervisor as 3, the others from 4 on
 * in the order of enum wa_server_role, and the fronts after them; a front's listening socket is 4.
 * On descriptor 0 each tells the supervisor by one byte that it can do its work.
 */
#ifndef WA_SERVER_ROLES_H
#define WA_SERVER_ROLES_H

#include "os/chan.h"

enum wa_server_msg {
    /* front -> store */
    WA_S_REQUEST = 1, /* JSON line {method,path,query,bearer,peer,machine,question}, newline, body;
                         answered by ANSWER. machine: whom its TLS certificate names; person: the
                         SHA-256 of one that is no machine's, and pem: it itself, for a login by it
                       */
    WA_S_HELLO,       /* JSON {conn,nonce,channel,machine,text}; answered by ANSWER */
    WA_S_ACK,         /* JSON {conn,id[,begun]} */
    WA_S_GONE,        /* JSON {conn} */
    WA_S_COUNTS,      /* struct wa_front_counts */
    WA_S_SAME,        /* id: connection; 64 hex digits: its machine says it is as known */
    WA_S_SEEN,        /* u32 each: connections whose machines said so, and were answered here */
    WA_S_QUEUE,       /* id: connection; what its machine says of its queue (proto/queue.h) */
    /* store -> front */
    WA_S_ANSWER = 32, /* JSON line {status}, newline, body */
    WA_S_ORDER,       /* id: connection; text for its WebSocket */
    WA_S_CLOSE,       /* id: connection */
    WA_S_KNOWN,       /* id: connection; "0": it is not; "1": it is, and the front may answer that
                         itself until CHANGED; "2": it is, for once */
    WA_S_CHANGED,     /* id: connection; its machine's state is another one */
    WA_S_REVOKED,     /* all serial numbers of revoked TLS certificates, a line each */
    WA_S_GUEST,       /* an address from which somebody who is logged in came */
    WA_S_WATCH,       /* id: connection; its machine is to tell its queue for a while */
    /* store -> signer, and back */
    WA_S_SIGN =
        64, /* JSON array of {uuid,nonce,sha256}, or {repository,version,length,sha256,hours}, or
               {ready}, or {certify:{uuid,key,days}}, or {revoked:[{serial,at}]} */
    WA_S_SIGNED, /* relays, a line each, or the timestamp, {certificate} or {crl} */
    /* store -> auth, and back */
    WA_S_CHECK = 96, /* lines: hash, password; or WA_S_MAKE, password; or WA_S_FACTOR, user; or
                        WA_S_CODE, user, sealed secret, step of the last code, code */
    WA_S_CHECKED,    /* "ok", also with a newline and the hash to be kept from now on, or "no"; the
                        hash; sealed secret, newline, base32; the code's step */
    /* store -> scan, and back */
    WA_S_SCAN = 128, /* JSON {op: part|drop|sweep|accept|accept-host|delete|root|published|
                        to-stamp|stamp|list, file, name, sha256, text, size, reserved, rights} */
    WA_S_SCANNED,    /* JSON {code,message,file,bytes,text,list} */
    /* store -> directory, and back */
    WA_S_WHO = 160, /* JSON {user,password,groups:[...]}, or with "check": true and no password;
                       "sid": that the account must have */
    WA_S_WHO_IS,    /* JSON {right,groups:[those among them],reason}, or {code,message} */
    /* store -> search, and back */
    WA_S_SEARCH = 192, /* JSON, as search.h writes it */
    WA_S_FOUND,        /* JSON {hosts}, {software}, {packages} or {code,message} */
    /* store -> report, and back */
    WA_S_REPORT = 224, /* JSON {sql,rows,scope} */
    WA_S_REPORTED,     /* JSON {columns,rows,is_cut} or {code,message} */
    /* store -> hook, and back */
    WA_S_HOOK = 256, /* JSON line {url,id,time,signature}, newline, body */
    WA_S_HOOKED,     /* JSON {status} or {message} */
    /* store -> kerberos, and back */
    WA_S_TICKET = 288, /* JSON {ticket,binding}: a machine's; {ticket}: a person's, who logs in */
    WA_S_TICKET_IS,    /* JSON {name,realm,account}, or {code,message} */
    /* store -> oidc, and back */
    WA_S_OIDC = 320, /* JSON {begin:{port,state,challenge}}; {finish:{port,code,verifier[,iss]},
                        session,groups:[...]}; {renew:{session,user,sealed},groups:[...]}; or
                        {revoke:{session,user,sealed}} */
    WA_S_OIDC_IS,    /* JSON {url}; {name,subject,nonce,groups:[those among them][,sealed]}; {}; or
                        {code,message} */
    /* store -> trust, and back */
    WA_S_TRUST = 352, /* JSON {op: signers|signer-add|signer-remove, text} */
    WA_S_TRUSTED,     /* JSON {code,message,file,list} */
    /* store -> wake, and back */
    WA_S_WAKE = 384, /* JSON {hosts:[{macs,addresses}]}: wakes them, says where it can */
    WA_S_WOKEN,      /* JSON {ports,networks,hosts:[{cards,networks}],packets}, or {code,message} */
    /* supervisor -> store */
    WA_S_HELPER = 416 /* id: a role; descriptor: the channel to its next process */
};
#define WA_CERTIFICATE_LOGIN "/api/v1/session/certificate"
#define WA_CERTIFICATE_OWN "/api/v1/account/certificates"
#define WA_KERBEROS_LOGIN "/api/v1/session/kerberos"
#define WA_S_MAKE "make"
#define WA_S_FACTOR "factor"
#define WA_S_CODE "code"
#define WA_S_NO_HASH "none" /* in place of a hash: there is no such user, let it take as long */

enum wa_server_role {
    WA_SR_STORE,
    WA_SR_FRONT,
    WA_SR_SIGNER, /* the first of those who only answer the store */
    WA_SR_AUTH,
    WA_SR_SCAN,
    WA_SR_DIRECTORY,
    WA_SR_SEARCH,
    WA_SR_REPORT,
    WA_SR_HOOK,
    WA_SR_KERBEROS,
    WA_SR_OIDC,
    WA_SR_TRUST,
    WA_SR_WAKE,
    WA_SR_COUNT,
    WA_SR_SUPERVISOR = WA_SR_COUNT
};
const char *wa_server_role_name(enum wa_server_role r);
/* It is started again by itself when it ends: it holds nothing but the question that it was asked,
 * and the store answers that with an error. The others hang together. */
bool wa_server_role_is_alone(enum wa_server_role r);
/* What a role accepts from another. */
const struct wa_chan_rule *wa_server_rules(enum wa_server_role from, enum wa_server_role to);

/* The roles' bodies; exit status. */
int wa_server_store(const char *config_file);
int wa_server_front(const char *config_file);
int wa_server_hook(const char *config_file);
int wa_server_signer(const char *config_file);
int wa_server_auth(const char *config_file);
int wa_server_scan(const char *config_file);
int wa_server_directory(const char *config_file);
int wa_server_search(const char *config_file);
int wa_server_report(const char *config_file);
int wa_server_kerberos(const char *config_file);
int wa_server_oidc(const char *config_file);
int wa_server_trust_signers(const char *config_file);
int wa_server_wake(const char *config_file);
/* Not of the set: for a command, the database to descriptor 1, or from descriptor 0, as
 * sql/dump.h has it behind a line of its own (role_dump.c). */
int wa_server_dump(const char *config_file);
int wa_server_load(const char *config_file);

#endif
