/* package.c - a whole package of a stranger, verified for one anchor. Whatever is taken must be one
 * of the manifests that the owner of that anchor signed: all else would be a forgery.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* trust/main/admin.crt of the test vectors. */
static const char anchor_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDUDCCAjigAwIBAgIUEmrXtSa9Q89+rWDE4REtt4tPZwMwDQYJKoZIhvcNAQEL\n"
    "BQAwLzELMAkGA1UEBhMCRlIxEDAOBgNVBAoMB0V4YW1wbGUxDjAMBgNVBAMMBWFk\n"
    "bWluMB4XDTI2MTEyMzE5MTQzOFoXDTM2MTEyMDE5MTQzOFowLzELMAkGA1UEBhMC\n"
    "RlIxEDAOBgNVBAoMB0V4YW1wbGUxDjAMBgNVBAMMBWFkbWluMIIBIjANBgkqhkiG\n"
    "9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq1ncu7SKguzX2Fj2CSwq3KESVNz6/1lWDWSI\n"
    "I0PBgqLpSzktGqXWOO8e5EnhcHJi8A7h1TipmXrEv3zRpr7R6gnse3fRxV3QWHdU\n"
    "vdrn0SgIopRtfedhca5/LwllbQVOQe76EAXf7iNowOJ+3a4l282nslqvSPyUjojJ\n"
    "1eP/37f8bTFOmcMSyWAgkU16XlIiiKrc17zsap5TeM98cxZ+mCica1q0xWsgT+1C\n"
    "pdenB2boRGqT/twuODnUfQIV3yqJFqkmR5Gv8n78jvLJbnN433hzjw9wfQk6Ssuh\n"
    "SRAXDnJbXb9nwGYERsMfoMfXj+cDzHJbZFimBCwvqN3X3mz26wIDAQABo2QwYjAP\n"
    "BgNVHRMBAf8EBTADAQH/MCAGA1UdJQEB/wQWMBQGCCsGAQUFBwMDBggrBgEFBQcD\n"
    "AjAdBgNVHQ4EFgQURwoWk3G692BESMelsyXsKNg4r2UwDgYDVR0PAQH/BAQDAgHW\n"
    "MA0GCSqGSIb3DQEBCwUAA4IBAQAlUWH0jq93+w4JYjDe2+VTsOp8K+cQfr7apygi\n"
    "P13aEXuQObfdIYgJ68U59Uoe+eMLh5twTH4UbIzFp//rjXWP0hL+lGYy8mcgJc8d\n"
    "DB7HvkU2xAlFa+kk4SXoXWVifAdNC4lDU5FgbG+OYoTDGSs64H77aLE44ePvQmOj\n"
    "YAvfyMiTC2S6NUGmr71nYklq6K2HsGWJmN4kS2NYS5KS1vWutr35UqKAKa/GUtK9\n"
    "pVM5ueONzCK4p5idACCT8IVYr0R/7wujaA7ahyUFHvQWoGi5S7URVJQNNEcVEp+l\n"
    "ZILgPYYtL+rLGePHGuq31f1nkPjTCXpWCED2nOjGi+huwA3b\n"
    "-----END CERTIFICATE-----\n";

/* SHA-256 of every manifest of the vectors that it signed. */
static const char *const known_manifests[] = {
    "011523f3e95786bed540423d6e82068a82e74639ca99eceb27fd1933796ad3f8",
    "09edf5a8e80d7fdc27fecccf84c4679b37fe19904947b3a18c56ce6b55440390",
    "172a374b99673ab80db94a57bd1b0d528fc1e581329b78a3c3340c212146de25",
    "17abfcb642e4a06ae2e1c3a6191faafb206d797a417b6e125f1386f6966b1cba",
    "1dc5ed131a0b7ee428fcd742e25efc54489b9240cc01bd5f3710622f48985f89",
    "231745a9dd28d9ebb8448d562df56a9fa5384111386d5f398e40f22fea019735",
    "28dd1abdcda5dc1b9003af0bd30ade6d09f92b991dfd453c6fcde943c73ba3c1",
    "311892f2c6a2670ffa84f36a2527766ce6063be8553a9d2d1d342a3af2332f50",
    "331f2d4752833f7f920f5a3ec29f7329599fbfc659cba76303f16d3e4b6c3fb0",
    "3bb3a0726e1845faf85591325cfc204556c9b2c130771d967414e1e82ddbbe09",
    "4c2df3e261abfead660c2b009de8b25249412e4790f55975e3a6cca01f649385",
    "4e798225d0e9074274343f6df06c199114bab8593f775be99a43fbff53a70f7c",
    "54d41806199213fbc37db1ec33c1c2f457a265d2302a3a605a0c8c886a6942f5",
    "730a1116fc8e34fe4ef629e2e0be9be06dbacf5c2b190b03af28163188dacb9c",
    "7a348fce234979700d3f79b022e19bee9810bc2e8856d5a8164e23600c8a675e",
    "7f027e9e7f7cad65fbaf265d627d901f9f19acaa9a12456f884b2572320b361e",
    "8139f366b1a0ef76baf77181ec024f110af706e9e693e286054f66f0007fd33d",
    "829e16da511aa6cf7efe1cef42317f9318fcb283c4eb87e4a2e4e077de1ec3ff",
    "88c5fa702379a7b9cbe286d6f4b843c1afd7d176a67ce30713fdbc2e1b1f2d98",
    "8950c678c50dd8a397c15751058fb7d6488d042a1f82cb8f8a8fd82bea6c6972",
    "96bcaa0b8c6b05b7ce59555746d7a4cda7a315d71d47a1f4a78d5c8f54cf4d79",
    "a1e11f0fe0d59ebf7edc5bd45d60c55356d591c8e846e8f4e0f088d927f70c87",
    "a27098e11f1c99c27bfa4ea8ea667a3b7f895dfb9f32adaaed0ebd43b3616d40",
    "aaa0f8fa43d8f4abf40139a5f9336c6aac0c2cc185824956bbedd7910cc90813",
    "b044bfb3395782e7276f93e252b4d7e3f5cced77539dddb81f66767d34098c3f",
    "b7ade632e5fe93f04c4acf630d93cacee053e6be699bbed739bc226ab87be183",
    "c1aad6efec11157e50219dac0f6c9646dfe68adaf4d147de2d78da19d0d0f03f",
    "c53aa5b0e566a56b70f0455963881aec918c2ca3c66a707ae392b5c5dad9ffef",
    "c7dd72f0ee35052a83577898b2c3f4b4f76be0bf0b0e56bab3f9f1bb9223d1f8",
    "cadae67fce9ce2997107db1e0f244894d2f36e7a63cba394b45460a965782a0c",
    "cbd8f068cb77a843efdc22d78235e3b09ed6a52ee4ab09e49be7dc18fb0b89b0",
    "d4649620020a22b9a682aaa7d995dc39e889dc38450d251497c520eca3b3ea1f",
    "e6a05649da717ee71fcf82419163ec2758ef013f4b964cb8e0b642d044bb1dc6",
    "eb7d56b47404cac7cd40793dd8c8ac46af2ea2fa75da49e51be1ad756b01257e",
    "efefa62705e3bc58f21e4789d72be27acd958fcead9afdc2da1fada796caeef7",
};

static const int64_t date = 1796126400; /* 2026-12-01 */

static struct wa_trust *make_trust(void)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_certs_read_pem(wa_sv(anchor_pem), 1, &list, &err) != WA_OK ||
        wa_trust_new(&t, &err) != WA_OK || wa_trust_add(t, list.items[0], &err) != WA_OK)
        abort();
    return t;
}

static bool is_known(const struct wa_verdict *v)
{
    for (size_t i = 0; i < WA_COUNT(known_manifests); i++)
        if (strcmp(known_manifests[i], v->manifest_sha256) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_trust) struct wa_trust *trust = make_trust();
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    wa_verdict_init(&v);
    wa_mem_source_init(&source, data, size);
    if (wa_archive_members_open(&source.base, &archive, &err) != WA_OK)
        return 0;
    enum wa_code code =
        wa_verify_package(wa_archive_members_get(archive), trust, date, NULL, NULL, &v, &err);
    if ((code == WA_OK) != (v.failed == WA_CHECK_COUNT) || (code == WA_OK && !is_known(&v)))
        abort();
    return 0;
}
