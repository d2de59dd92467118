/* rights.c - the modes of Unix that mean something here: what only its owner may read.
 *
 * The list of rights is closed to what the folder would hand down. Everything else is as the folder
 * has it.
 */
#include <winsock2.h>

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include "os/win32/win.h"

#include "base/mem.h"

/* The text of the account that runs us, "S-1-5-21-...". LocalFree() it. */
static DWORD own_account(wchar_t **ret)
{
    WA_AUTO_HANDLE HANDLE token = INVALID_HANDLE_VALUE;
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } u;
    DWORD n = 0;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ||
        !GetTokenInformation(token, TokenUser, &u, sizeof u, &n) ||
        !ConvertSidToStringSidW(u.user.User.Sid, ret))
        return GetLastError();
    return 0;
}

enum wa_code wa_win_rights(uint32_t mode, PSECURITY_DESCRIPTOR *ret, struct wa_err *err)
{
    wchar_t *account = NULL, text[512];
    if ((mode & 077) != 0) {
        *ret = NULL;
        return WA_OK;
    }
    DWORD error = own_account(&account);
    if (error != 0)
        return wa_win_fail(err, error, "cannot tell which account this is");
    (void)_snwprintf(text, WA_COUNT(text) - 1,
                     L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%ls)", account);
    text[WA_COUNT(text) - 1] = L'\0';
    (void)LocalFree(account);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, ret, NULL))
        return wa_win_fail(err, GetLastError(), "cannot form the rights of a private file");
    return WA_OK;
}

/* Who may read what only its owner should: itself, the system, administrators. */
static bool is_trusted(PSID who, PSID owner)
{
    return EqualSid(who, owner) || IsWellKnownSid(who, WinLocalSystemSid) ||
           IsWellKnownSid(who, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(who, WinCreatorOwnerSid) || IsWellKnownSid(who, WinCreatorOwnerRightsSid);
}

bool wa_win_is_private(HANDLE h)
{
    PSECURITY_DESCRIPTOR all = NULL;
    PSID owner = NULL;
    PACL list = NULL;
    if (GetSecurityInfo(h, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, NULL, &list, NULL, &all) != ERROR_SUCCESS)
        return false;
    bool is_private = list != NULL; /* without a list everybody may everything */
    for (DWORD i = 0; is_private && i < list->AceCount; i++) {
        void *entry = NULL;
        if (!GetAce(list, i, &entry))
            is_private = false;
        const ACE_HEADER *head = entry;
        if (!is_private || head->AceType != ACCESS_ALLOWED_ACE_TYPE ||
            (head->AceFlags & INHERIT_ONLY_ACE) != 0)
            continue;
        ACCESS_ALLOWED_ACE *allowed = entry;
        bool may_read = (allowed->Mask & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL)) != 0;
        is_private = !may_read || is_trusted(&allowed->SidStart, owner);
    }
    (void)LocalFree(all);
    return is_private;
}
