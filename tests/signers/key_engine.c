/* An engine of OpenSSL that holds keys under a PIN, for tests only: the engine of GOST has none.
 *
 * The environment variable KEY_ENGINE names a folder. The key `name` is the file name.pem in it,
 * encrypted; the PIN is its password and is asked for as engines of tokens ask for theirs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/engine.h>
#include <openssl/pem.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_PKEY *load(ENGINE *engine, const char *name, UI_METHOD *method, void *data) {
    char path[1024], pin[256] = "";
    (void)engine;
    snprintf(path, sizeof path, "%s/%s.pem", getenv("KEY_ENGINE"), name);
    UI *ui = UI_new_method(method);
    UI_add_user_data(ui, data);
    int asked = UI_add_input_string(ui, "PIN: ", UI_INPUT_FLAG_DEFAULT_PWD, pin, 1, 255) > 0 &&
                UI_process(ui) == 0;
    UI_free(ui);
    BIO *file = asked ? BIO_new_file(path, "r") : NULL;
    EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, NULL, pin) : NULL;
    BIO_free(file);
    return key;
}

static int bind(ENGINE *engine, const char *id) {
    (void)id;
    return ENGINE_set_id(engine, "keys") && ENGINE_set_name(engine, "keys for tests") &&
           ENGINE_set_load_privkey_function(engine, load);
}

IMPLEMENT_DYNAMIC_BIND_FN(bind)
IMPLEMENT_DYNAMIC_CHECK_FN()
