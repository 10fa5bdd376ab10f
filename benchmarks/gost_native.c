/* The yardstick of gost_native.py: gost-engine called in a loop, keys parsed beforehand.
 * Input: lines "hash <octets> <repeats>" or "sign|verify <private PKCS #8> <repeats>", DER in
 * hexadecimal; output: seconds of CPU per call, a line each. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/engine.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void need(int good) {
    if (!good) exit(1);
}

static void hash(size_t octets) {
    static unsigned char *message;
    static size_t allocated;
    unsigned char digest[64];
    if (allocated != octets) need((message = realloc(message, allocated = octets)) != NULL);
    need(EVP_Digest(message, octets, digest, NULL, EVP_get_digestbyname("md_gost12_256"), NULL));
}

static size_t sign(EVP_PKEY *key, size_t size, unsigned char *signature) {
    static const unsigned char digest[64] = {1};
    size_t length = 128;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    need(EVP_PKEY_sign_init(context) > 0);
    need(EVP_PKEY_sign(context, signature, &length, digest, size) > 0);
    EVP_PKEY_CTX_free(context);
    return length;
}

static void verify(EVP_PKEY *key, size_t size, const unsigned char *signature, size_t length) {
    static const unsigned char digest[64] = {1};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    need(EVP_PKEY_verify_init(context) > 0);
    need(EVP_PKEY_verify(context, signature, length, digest, size) == 1);
    EVP_PKEY_CTX_free(context);
}

int main(void) {
    static char line[4096], what[16], argument[4000];
    ENGINE *engine = ENGINE_by_id("gost");
    need(engine && ENGINE_init(engine) && ENGINE_set_default(engine, ENGINE_METHOD_ALL));
    while (fgets(line, sizeof line, stdin)) {
        int repeats, i;
        unsigned char der[2000], signature[128];
        const unsigned char *cursor = der;
        EVP_PKEY *key = NULL;
        size_t length = 0, size = 32;
        clock_t start;
        need(sscanf(line, "%15s %3999s %d", what, argument, &repeats) == 3);
        if (strcmp(what, "hash")) {
            size_t octets = strlen(argument) / 2, k;
            for (k = 0; k < octets; k++) need(sscanf(argument + 2 * k, "%2hhx", der + k) == 1);
            need((key = d2i_AutoPrivateKey(NULL, &cursor, (long)octets)) != NULL);
            size = EVP_PKEY_get_bits(key) / 8;
            length = sign(key, size, signature);
        }
        start = clock();
        for (i = 0; i < repeats; i++) {
            if (!strcmp(what, "hash")) hash(strtoul(argument, NULL, 10));
            else if (!strcmp(what, "sign")) sign(key, size, signature);
            else verify(key, size, signature, length);
        }
        printf("%.9f\n", (double)(clock() - start) / CLOCKS_PER_SEC / repeats);
        fflush(stdout);
        EVP_PKEY_free(key);
    }
    return 0;
}
