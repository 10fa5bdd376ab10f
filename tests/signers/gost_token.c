/* A PKCS#11 module with GOST keys, for tests only: no module of Debian has them (SoftHSM is built
 * without GOST). It is strict where real tokens are: about logins, PINs, sessions, operations and
 * forks. Its keys lie open in files, so it must never hold a real one.
 *
 * The environment variable GOST_TOKENS names a folder; its subfolders 0, 1, ... are tokens:
 *   serial, pin        what they say
 *   failures           how many wrong PINs came in a row (kept, as a device does); TRIES lock it
 *   removed, swapped   when they exist: the token is out; it signs r||s instead of s||r
 *   broken             how many signatures are still to fail with an error of the device
 *   0.key, 1.key, ...  private keys: hexadecimal p a b q x y d
 *   0.point, 0.curve   the public key: x||y little-endian; DER of the OID of the curve
 *   0.cer              DER of the certificate
 *   0.label            the label of all three; their identifier is one octet, 1 and up
 */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned char byte;
typedef unsigned long ulong;
typedef ulong CK_RV;
typedef struct { byte major, minor; } version;
typedef struct { ulong type; void *value; ulong size; } attribute;
typedef struct { ulong type; void *parameter; ulong size; } mechanism;
typedef struct { version cryptoki; byte maker[32]; ulong flags; byte name[32]; version own; } info;
typedef struct { byte name[64], maker[32]; ulong flags; version hardware, firmware; } slot_info;
typedef struct {
    byte label[32], maker[32], model[16], serial[16];
    ulong flags, max_sessions, sessions, max_rw, rw, max_pin, min_pin, memory[4];
    version hardware, firmware;
    byte time[16];
} token_info;

enum { /* CKR_ */
    OK = 0, SLOT_INVALID = 3, GENERAL = 5, ARGUMENTS_BAD = 7, SENSITIVE = 0x11, TYPE_INVALID = 0x12,
    DATA_LENGTH = 0x21, DEVICE_ERROR = 0x30, REMOVED = 0x32, NOT_SUPPORTED = 0x54,
    KEY_HANDLE = 0x60, KEY_TYPE = 0x63, MECHANISM_INVALID = 0x70,
    PARAMETER_INVALID = 0x71, OBJECT_HANDLE = 0x82, ACTIVE = 0x90, NOT_ACTIVE = 0x91,
    PIN_INCORRECT = 0xA0, PIN_LOCKED = 0xA4, SESSION_COUNT = 0xB1,
    SESSION_HANDLE = 0xB3, NOT_PRESENT = 0xE0, ALREADY_LOGGED_IN = 0x100, NOT_LOGGED_IN = 0x101,
    TOO_SMALL = 0x150, NOT_INITIALIZED = 0x190, ALREADY_INITIALIZED = 0x191
};
enum { /* CKA_ */
    CLASS = 0, TOKEN = 1, PRIVATE = 2, LABEL = 3, VALUE = 0x11, KIND_OF_CERTIFICATE = 0x80,
    KIND_OF_KEY = 0x100, ID = 0x102, SIGN = 0x108, CURVE = 0x250
};
enum { CERTIFICATE = 1, PUBLIC_KEY = 2, PRIVATE_KEY = 3 }; /* CKO_ */
#define GOST_256_KEY 0x30UL
#define GOST_512_KEY 0xD4321003UL
#define GOST_256_SIGN 0x1201UL
#define GOST_512_SIGN 0xD4321006UL
enum { TOKENS = 4, KEYS = 8, SESSIONS = 4, TRIES = 3 };

typedef struct {
    int open, slot, searching, next;
    ulong found[3 * KEYS], count, signing;
} session;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t process; /* who called C_Initialize: a forked child has to call it itself */
static session sessions[SESSIONS];
static int logged_in[TOKENS];
static char root[1024];

static FILE *file(int slot, const char *name, const char *how) {
    char path[2048];
    snprintf(path, sizeof path, "%s/%d/%s", root, slot, name);
    return fopen(path, how);
}

static ulong contents(int slot, const char *name, byte *into, ulong room) {
    FILE *opened = file(slot, name, "rb");
    if (!opened) return 0;
    ulong size = fread(into, 1, room, opened);
    fclose(opened);
    return size;
}

static int exists(int slot, const char *name) {
    FILE *opened = file(slot, name, "rb");
    if (opened) fclose(opened);
    return opened != NULL;
}

static int count_in(int slot, const char *name) {
    byte text[8] = {0};
    contents(slot, name, text, sizeof text - 1);
    return atoi((char *)text);
}

static void set_count(int slot, const char *name, int number) {
    FILE *opened = file(slot, name, "w");
    if (!opened) return;
    fprintf(opened, "%d", number);
    fclose(opened);
}

static void forget(int slot) {
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].slot == slot) memset(&sessions[i], 0, sizeof sessions[i]);
    logged_in[slot] = 0;
}

/* What every call begins with. Tokens of another folder are other tokens. */
static CK_RV begin(void) {
    if (process != getpid()) return NOT_INITIALIZED;
    const char *now = getenv("GOST_TOKENS");
    if (strcmp(root, now ? now : "")) {
        for (int i = 0; i < TOKENS; i++) forget(i);
        snprintf(root, sizeof root, "%s", now ? now : "");
    }
    return OK;
}

static int present(ulong slot) {
    if (slot >= TOKENS || !exists((int)slot, "serial")) return 0;
    if (!exists((int)slot, "removed")) return 1;
    forget((int)slot);
    return 0;
}

static CK_RV begin_session(ulong handle, session **found) {
    CK_RV rv = begin();
    if (rv) return rv;
    if (!handle || handle > SESSIONS || !sessions[handle - 1].open) return SESSION_HANDLE;
    *found = &sessions[handle - 1];
    return present((ulong)(*found)->slot) ? OK : REMOVED;
}

static void padded(byte *into, ulong room, const char *text) {
    memset(into, ' ', room);
    memcpy(into, text, strlen(text));
}

/* Each call of the standard under the lock. */
#define CALL(name, parameters, arguments)                                                          \
    static CK_RV do_##name parameters;                                                             \
    static CK_RV C_##name parameters {                                                             \
        pthread_mutex_lock(&lock);                                                                 \
        CK_RV rv = do_##name arguments;                                                            \
        pthread_mutex_unlock(&lock);                                                               \
        return rv;                                                                                 \
    }                                                                                              \
    static CK_RV do_##name parameters

CALL(Initialize, (void *arguments), (arguments)) {
    (void)arguments;
    if (process == getpid()) return ALREADY_INITIALIZED;
    process = getpid();
    for (int i = 0; i < TOKENS; i++) forget(i);
    return begin();
}

CALL(Finalize, (void *reserved), (reserved)) {
    (void)reserved;
    if (process != getpid()) return NOT_INITIALIZED;
    process = 0;
    return OK;
}

CALL(GetInfo, (info *into), (into)) {
    CK_RV rv = begin();
    if (rv) return rv;
    memset(into, 0, sizeof *into);
    into->cryptoki = (version){2, 40};
    padded(into->maker, sizeof into->maker, "tests");
    padded(into->name, sizeof into->name, "GOST for tests");
    return OK;
}

CALL(GetSlotList, (byte with_token, ulong *slots, ulong *count), (with_token, slots, count)) {
    CK_RV rv = begin();
    if (rv) return rv;
    ulong number = 0;
    for (ulong i = 0; i < TOKENS; i++) {
        if (with_token && !present(i)) continue;
        if (slots && number < *count) slots[number] = i;
        number++;
    }
    rv = slots && number > *count ? TOO_SMALL : OK;
    *count = number;
    return rv;
}

CALL(GetSlotInfo, (ulong slot, slot_info *into), (slot, into)) {
    CK_RV rv = begin();
    if (rv) return rv;
    if (slot >= TOKENS) return SLOT_INVALID;
    memset(into, 0, sizeof *into);
    padded(into->name, sizeof into->name, "slot");
    padded(into->maker, sizeof into->maker, "tests");
    into->flags = 2 | (present(slot) ? 1 : 0);
    return OK;
}

CALL(GetTokenInfo, (ulong slot, token_info *into), (slot, into)) {
    CK_RV rv = begin();
    if (rv) return rv;
    if (!present(slot)) return NOT_PRESENT;
    memset(into, 0, sizeof *into);
    padded(into->label, sizeof into->label, "token");
    padded(into->maker, sizeof into->maker, "tests");
    padded(into->model, sizeof into->model, "GOST");
    padded(into->serial, sizeof into->serial, "");
    contents((int)slot, "serial", into->serial, sizeof into->serial);
    padded(into->time, sizeof into->time, "");
    int wrong = count_in((int)slot, "failures");
    into->flags = 0x4 | 0x8 | 0x400 | (wrong ? 0x10000 : 0) | (wrong == TRIES - 1 ? 0x20000 : 0) |
                  (wrong >= TRIES ? 0x40000 : 0);
    into->max_sessions = into->max_rw = SESSIONS;
    return OK;
}

CALL(GetMechanismList, (ulong slot, ulong *into, ulong *count), (slot, into, count)) {
    CK_RV rv = begin();
    if (rv) return rv;
    if (!present(slot)) return NOT_PRESENT;
    if (into) into[0] = GOST_256_SIGN, into[1] = GOST_512_SIGN;
    *count = 2;
    return OK;
}

CALL(OpenSession, (ulong slot, ulong flags, void *application, void *notify, ulong *handle),
     (slot, flags, application, notify, handle)) {
    (void)application, (void)notify;
    CK_RV rv = begin();
    if (rv) return rv;
    if (!(flags & 4)) return ARGUMENTS_BAD;
    if (!present(slot)) return NOT_PRESENT;
    for (int i = 0; i < SESSIONS; i++)
        if (!sessions[i].open) {
            sessions[i] = (session){.open = 1, .slot = (int)slot};
            *handle = (ulong)i + 1;
            return OK;
        }
    return SESSION_COUNT;
}

CALL(CloseSession, (ulong handle), (handle)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    int slot = at->slot, left = 0;
    memset(at, 0, sizeof *at);
    for (int i = 0; i < SESSIONS; i++) left += sessions[i].open && sessions[i].slot == slot;
    if (!left) logged_in[slot] = 0;
    return OK;
}

CALL(Login, (ulong handle, ulong user, byte *pin, ulong size), (handle, user, pin, size)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (user != 1 || !pin) return ARGUMENTS_BAD;
    if (logged_in[at->slot]) return ALREADY_LOGGED_IN;
    int wrong = count_in(at->slot, "failures");
    if (wrong >= TRIES) return PIN_LOCKED;
    byte right[64];
    if (contents(at->slot, "pin", right, sizeof right) != size || memcmp(right, pin, size)) {
        set_count(at->slot, "failures", wrong + 1);
        return PIN_INCORRECT;
    }
    set_count(at->slot, "failures", 0);
    logged_in[at->slot] = 1;
    return OK;
}

CALL(Logout, (ulong handle), (handle)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (!logged_in[at->slot]) return NOT_LOGGED_IN;
    logged_in[at->slot] = 0;
    return OK;
}

/* Objects: a handle is 1 + 3 * number + class - 1; each is made of files of its number. */
static const char *const SOURCES[] = {"", "cer", "point", "key"};

static char *named(int number, const char *kind) {
    static char name[32];
    snprintf(name, sizeof name, "%d.%s", number, kind);
    return name;
}

static int visible(int slot, ulong object) {
    if (!object || object > 3 * KEYS) return 0;
    ulong class = (object - 1) % 3 + 1;
    int number = (int)(object - 1) / 3;
    return exists(slot, named(number, SOURCES[class])) && (class != PRIVATE_KEY || logged_in[slot]);
}

static int halves(int slot, int number) { /* octets of a coordinate */
    byte curve[64];
    ulong size = contents(slot, named(number, "curve"), curve, sizeof curve);
    /* ... 1.2.643.7.1.2.1.2.x are the curves of 512 bits */
    return size == 11 && curve[9] == 2 ? 64 : 32;
}

static CK_RV look(int slot, ulong object, ulong type, byte *into, ulong room, ulong *size) {
    ulong class = (object - 1) % 3 + 1, number;
    int index = (int)(object - 1) / 3;
    byte flag;
    const void *from = &number;
    *size = sizeof number;
    switch (type) {
    case CLASS: number = class; break;
    case TOKEN: flag = 1, from = &flag, *size = 1; break;
    case PRIVATE: flag = class == PRIVATE_KEY, from = &flag, *size = 1; break;
    case ID: flag = (byte)(index + 1), from = &flag, *size = 1; break;
    case LABEL: *size = contents(slot, named(index, "label"), into, room); return OK;
    case KIND_OF_CERTIFICATE:
        if (class != CERTIFICATE) return TYPE_INVALID;
        number = 0;
        break;
    case KIND_OF_KEY:
        if (class == CERTIFICATE) return TYPE_INVALID;
        number = halves(slot, index) == 64 ? GOST_512_KEY : GOST_256_KEY;
        break;
    case SIGN:
        if (class != PRIVATE_KEY) return TYPE_INVALID;
        flag = 1, from = &flag, *size = 1;
        break;
    case CURVE:
        if (class == CERTIFICATE) return TYPE_INVALID;
        *size = contents(slot, named(index, "curve"), into, room);
        return OK;
    case VALUE:
        if (class == PRIVATE_KEY) return SENSITIVE;
        *size = contents(slot, named(index, SOURCES[class]), into, room);
        return OK;
    default: return TYPE_INVALID;
    }
    memcpy(into, from, *size);
    return OK;
}

CALL(GetAttributeValue, (ulong handle, ulong object, attribute *wanted, ulong count),
     (handle, object, wanted, count)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (!visible(at->slot, object)) return OBJECT_HANDLE;
    for (ulong i = 0; i < count; i++) {
        byte value[8192];
        ulong size;
        CK_RV one = look(at->slot, object, wanted[i].type, value, sizeof value, &size);
        if (!one && wanted[i].value && wanted[i].size < size) one = TOO_SMALL;
        if (!one && wanted[i].value) memcpy(wanted[i].value, value, size);
        wanted[i].size = one ? (ulong)-1 : size;
        rv = one ? one : rv;
    }
    return rv;
}

CALL(FindObjectsInit, (ulong handle, attribute *wanted, ulong count), (handle, wanted, count)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (at->searching) return ACTIVE;
    at->searching = 1, at->count = 0, at->next = 0;
    for (ulong object = 1; object <= 3 * KEYS; object++) {
        int fits = visible(at->slot, object);
        for (ulong i = 0; fits && i < count; i++) {
            byte value[8192];
            ulong size;
            fits = !look(at->slot, object, wanted[i].type, value, sizeof value, &size) &&
                   size == wanted[i].size && !memcmp(value, wanted[i].value, size);
        }
        if (fits) at->found[at->count++] = object;
    }
    return OK;
}

CALL(FindObjects, (ulong handle, ulong *into, ulong room, ulong *count),
     (handle, into, room, count)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (!at->searching) return NOT_ACTIVE;
    for (*count = 0; *count < room && (ulong)at->next < at->count; ++*count)
        into[*count] = at->found[at->next++];
    return OK;
}

CALL(FindObjectsFinal, (ulong handle), (handle)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (!at->searching) return NOT_ACTIVE;
    at->searching = 0;
    return OK;
}

CALL(SignInit, (ulong handle, mechanism *how, ulong key), (handle, how, key)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (at->signing) return ACTIVE;
    if (!logged_in[at->slot]) return NOT_LOGGED_IN;
    int broken = count_in(at->slot, "broken");
    if (broken) {
        set_count(at->slot, "broken", broken - 1);
        return DEVICE_ERROR;
    }
    if (!visible(at->slot, key) || (key - 1) % 3 + 1 != PRIVATE_KEY) return KEY_HANDLE;
    if (how->type != GOST_256_SIGN && how->type != GOST_512_SIGN) return MECHANISM_INVALID;
    if (how->parameter || how->size) return PARAMETER_INVALID;
    int half = halves(at->slot, (int)(key - 1) / 3);
    if (how->type != (half == 64 ? GOST_512_SIGN : GOST_256_SIGN)) return KEY_TYPE;
    at->signing = key;
    return OK;
}

/* GOST R 34.10-2012, 6.1: e is the digest, little-endian, modulo q; r = x(kP); s = rd + ke. */
static CK_RV sign(int slot, int number, const byte *digest, int half, byte *s_and_r) {
    BIGNUM *of[7] = {0}; /* p a b q x y d */
    char text[160];
    FILE *opened = file(slot, named(number, "key"), "r");
    for (int i = 0; i < 7; i++)
        if (!opened || fscanf(opened, "%159s", text) != 1 || !BN_hex2bn(&of[i], text))
            return GENERAL;
    fclose(opened);
    BN_CTX *context = BN_CTX_new();
    BIGNUM *e = BN_new(), *k = BN_new(), *r = BN_new(), *s = BN_new();
    EC_GROUP *curve = EC_GROUP_new_curve_GFp(of[0], of[1], of[2], context);
    EC_POINT *base = EC_POINT_new(curve), *point = EC_POINT_new(curve);
    int good = EC_POINT_set_affine_coordinates(curve, base, of[4], of[5], context) &&
               EC_GROUP_set_generator(curve, base, of[3], BN_value_one()) &&
               BN_lebin2bn(digest, half, e) && BN_nnmod(e, e, of[3], context);
    if (good && BN_is_zero(e)) BN_one(e);
    do
        good = good && BN_priv_rand_range(k, of[3]) &&
               EC_POINT_mul(curve, point, k, NULL, NULL, context) &&
               EC_POINT_get_affine_coordinates(curve, point, r, NULL, context) &&
               BN_nnmod(r, r, of[3], context) && BN_mod_mul(k, k, e, of[3], context) &&
               BN_mod_mul(s, r, of[6], of[3], context) && BN_mod_add(s, s, k, of[3], context);
    while (good && (BN_is_zero(r) || BN_is_zero(s)));
    int swapped = exists(slot, "swapped");
    good = good && BN_bn2binpad(s, s_and_r + (swapped ? half : 0), half) == half &&
           BN_bn2binpad(r, s_and_r + (swapped ? 0 : half), half) == half;
    for (int i = 0; i < 7; i++) BN_free(of[i]);
    BN_free(e), BN_free(k), BN_free(r), BN_free(s);
    EC_POINT_free(base), EC_POINT_free(point), EC_GROUP_free(curve), BN_CTX_free(context);
    return good ? OK : GENERAL;
}

CALL(Sign, (ulong handle, byte *data, ulong size, byte *into, ulong *room),
     (handle, data, size, into, room)) {
    session *at;
    CK_RV rv = begin_session(handle, &at);
    if (rv) return rv;
    if (!at->signing) return NOT_ACTIVE;
    if (!logged_in[at->slot]) return NOT_LOGGED_IN;
    int number = (int)(at->signing - 1) / 3, half = halves(at->slot, number);
    ulong need = 2 * (ulong)half, given = *room;
    *room = need;
    if (!into) return OK;
    if (given < need) return TOO_SMALL;
    at->signing = 0;
    return size == (ulong)half ? sign(at->slot, number, data, half, into) : DATA_LENGTH;
}

static CK_RV unsupported(void) { return NOT_SUPPORTED; }

/* The list of functions, in the order of the standard. */
static struct { version of; CK_RV (*functions[68])(void); } list = {{2, 40}, {0}};

CK_RV C_GetFunctionList(void **into) {
    for (int i = 0; i < 68; i++) list.functions[i] = unsupported;
#define AT(place, name) list.functions[place] = (CK_RV(*)(void))C_##name
    AT(0, Initialize), AT(1, Finalize), AT(2, GetInfo), AT(3, GetFunctionList);
    AT(4, GetSlotList), AT(5, GetSlotInfo), AT(6, GetTokenInfo), AT(7, GetMechanismList);
    AT(12, OpenSession), AT(13, CloseSession), AT(18, Login), AT(19, Logout);
    AT(24, GetAttributeValue), AT(26, FindObjectsInit), AT(27, FindObjects);
    AT(28, FindObjectsFinal), AT(42, SignInit), AT(43, Sign);
    *into = &list;
    return OK;
}
