/* Texts cut into words and hashed: what `stages/data/neighbours/words.py` says in NumPy, number for number, in one pass.
 *
 * Which byte is what comes from Python as tables of 256 bytes, and so does the rewriting of characters outside ASCII: there is
 * one place where it is decided what a word is.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { LETTER = 1, JOINER = 2 };                /* the classes of words.py; anything else parts words */
enum { SPACE = 1, STOP = 2, LINE_END = 3 };

static const uint64_t MIX_A = 0x9E3779B97F4A7C15u, MIX_B = 0xD6E8FEB86659FD93u;
static const Py_ssize_t CHAINED_BYTES = 64;     /* _LONG_WORD_BYTES: from here on a word's eights are summed, not chained */

typedef struct { const unsigned char *kind, *sentence, *lower; } Tables;

typedef struct { uint32_t *hashes; unsigned char *opens; Py_ssize_t count, room; } Words;

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 32)) * MIX_B;
    value = (value ^ (value >> 32)) * MIX_B;
    return value ^ (value >> 32);
}

/* The byte after the word that starts at `start`: letters run on, also across one joining mark. */
static Py_ssize_t word_end(const unsigned char *text, Py_ssize_t start, Py_ssize_t size, const Tables *is)
{
    Py_ssize_t at = start + 1;
    while (at < size) {
        unsigned char kind = is->kind[text[at]];
        if (kind == LETTER)
            at++;
        else if (kind == JOINER && at + 1 < size && is->kind[text[at + 1]] == LETTER)
            at += 2;
        else
            break;
    }
    return at;
}

/* Up to eight bytes as a number, the first one lowest, case folded. */
static uint64_t eight(const unsigned char *text, Py_ssize_t size, const Tables *is)
{
    uint64_t value = 0;
    for (Py_ssize_t at = 0; at < size && at < 8; at++)
        value |= (uint64_t)is->lower[text[at]] << (8 * at);
    return value;
}

static uint64_t word_hash(const unsigned char *word, Py_ssize_t size, const Tables *is)
{
    uint64_t hash = mix(eight(word, size, is) ^ MIX_A);
    Py_ssize_t at = 8;
    for (; at < size && at < CHAINED_BYTES; at += 8)
        hash = mix((hash * MIX_A) ^ eight(word + at, size - at, is));
    if (at >= size)
        return hash;
    uint64_t sum = 0, power = 1;
    for (; at < size; at += 8, power *= MIX_A)
        sum += mix(eight(word + at, size - at, is)) * power;
    return mix((hash * MIX_A) ^ sum);
}

/* All words of a text; the number that stands for them in their order (`ordered_sums`). */
static uint64_t cut_text(const unsigned char *text, Py_ssize_t size, const Tables *is, Words *words)
{
    uint64_t sum = 0, power = 1, count = 0;
    unsigned char opens = 1;
    for (Py_ssize_t at = 0; at < size;) {
        if (is->kind[text[at]] != LETTER) {
            unsigned char mark = is->sentence[text[at]], next = at + 1 < size ? is->sentence[text[at + 1]] : LINE_END;
            opens |= mark == LINE_END || (mark == STOP && (next == SPACE || next == LINE_END));
            at++;
            continue;
        }
        Py_ssize_t end = word_end(text, at, size, is);
        uint64_t hash = word_hash(text + at, end - at, is);
        if (words->count < words->room) {
            words->hashes[words->count] = (uint32_t)(hash >> 32);
            words->opens[words->count] = opens;
        }
        words->count++;
        count++;
        sum += hash * power;
        power *= MIX_A;
        opens = 0;
        at = end;
    }
    return mix(sum + count * MIX_A);
}

static int bytes_of(PyObject *text, const unsigned char **start, Py_ssize_t *size)
{
    if (PyUnicode_Check(text)) {
        *start = (const unsigned char *)PyUnicode_AsUTF8AndSize(text, size); /* of ASCII the text itself, without a copy */
        return *start != NULL;
    }
    return PyBytes_AsStringAndSize(text, (char **)start, size) == 0;
}

PyDoc_STRVAR(cut_doc,
"cut(texts, tables, hashes, opens, starts, keys)\n--\n\n"
"Cut each text, an ASCII string or rewritten UTF-8, into words, and write into the arrays given: 32 bits of each word's hash,\n"
"whether it opens a sentence, the first word of each text and their number, and each text's key.\n\n"
"Raises:\n    ValueError: an array is too small.");

static PyObject *cut(PyObject *self, PyObject *args)
{
    PyObject *texts, *result = NULL;
    Py_buffer tables, hashes, opens, starts, keys;
    if (!PyArg_ParseTuple(args, "O!y*w*w*w*w*", &PyList_Type, &texts, &tables, &hashes, &opens, &starts, &keys))
        return NULL;
    const unsigned char *table = tables.buf;
    Tables is = {table, table + 256, table + 512};
    Py_ssize_t room = hashes.len / 4 < opens.len ? hashes.len / 4 : opens.len, count = PyList_Size(texts);
    Words words = {hashes.buf, opens.buf, 0, room};
    if (tables.len < 768 || starts.len / 8 <= count || keys.len / 8 < count) {
        PyErr_SetString(PyExc_ValueError, "an array is too small");
        goto done;
    }
    for (Py_ssize_t row = 0; row < count; row++) {
        const unsigned char *text;
        Py_ssize_t size;
        ((int64_t *)starts.buf)[row] = words.count;
        if (!bytes_of(PyList_GetItem(texts, row), &text, &size))
            goto done;
        ((uint64_t *)keys.buf)[row] = cut_text(text, size, &is, &words);
    }
    ((int64_t *)starts.buf)[count] = words.count;
    if (words.count > room)
        PyErr_SetString(PyExc_ValueError, "an array is too small");
    else
        result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&tables);
    PyBuffer_Release(&hashes);
    PyBuffer_Release(&opens);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&keys);
    return result;
}

PyDoc_STRVAR(rewritten_doc,
"rewritten(text, rewrite)\n--\n\n"
"UTF-8 bytes with each run of bytes outside ASCII replaced by what `rewrite` makes of it.");

static PyObject *rewritten(PyObject *self, PyObject *args)
{
    PyObject *text, *rewrite, *parts = PyList_New(0), *result = NULL;
    if (parts == NULL || !PyArg_ParseTuple(args, "O!O", &PyBytes_Type, &text, &rewrite))
        goto done;
    const char *bytes = PyBytes_AsString(text);
    for (Py_ssize_t at = 0, end, size = PyBytes_Size(text); at < size; at = end) {
        int outside = bytes[at] & 0x80;
        for (end = at + 1; end < size && (bytes[end] & 0x80) == outside;)
            end++;
        PyObject *run = PyBytes_FromStringAndSize(bytes + at, end - at);
        PyObject *part = run != NULL && outside ? PyObject_CallFunctionObjArgs(rewrite, run, NULL) : Py_XNewRef(run);
        int failed = part == NULL || PyList_Append(parts, part) < 0;
        Py_XDECREF(run);
        Py_XDECREF(part);
        if (failed)
            goto done;
    }
    PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
    if (nothing != NULL)
        result = PyObject_CallMethod(nothing, "join", "O", parts);
    Py_XDECREF(nothing);
done:
    Py_XDECREF(parts);
    return result;
}

PyDoc_STRVAR(sort_doc,
"sort(values, spare)\n--\n\n"
"Sort 64-bit numbers without a sign by their bytes, lowest first; `spare` has room for as many, and ends with anything.\n\n"
"Raises:\n    ValueError: there is not that much room.");

static PyObject *sort(PyObject *self, PyObject *args)
{
    static const int DIGITS = 8;
    Py_ssize_t counts[8][256] = {{0}};
    Py_buffer values, spare;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "w*w*", &values, &spare))
        return NULL;
    uint64_t *from = values.buf, *to = spare.buf;
    Py_ssize_t size = values.len / 8;
    if (spare.len < values.len) {
        PyErr_SetString(PyExc_ValueError, "there is not that much room");
        goto done;
    }
    for (Py_ssize_t at = 0; at < size; at++)
        for (int digit = 0; digit < DIGITS; digit++)
            counts[digit][from[at] >> (8 * digit) & 255]++;
    for (int digit = 0; digit < DIGITS; digit++) {
        Py_ssize_t *place = counts[digit], next = 0;
        if (size == 0 || place[from[0] >> (8 * digit) & 255] == size)
            continue; /* all numbers have this byte */
        for (int byte = 0; byte < 256; byte++) {
            Py_ssize_t count = place[byte];
            place[byte] = next;
            next += count;
        }
        for (Py_ssize_t at = 0; at < size; at++)
            to[place[from[at] >> (8 * digit) & 255]++] = from[at];
        uint64_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != values.buf)
        memcpy(values.buf, from, (size_t)size * 8);
    result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&values);
    PyBuffer_Release(&spare);
    return result;
}

static PyMethodDef methods[] = {
    {"cut", cut, METH_VARARGS, cut_doc},
    {"rewritten", rewritten, METH_VARARGS, rewritten_doc},
    {"sort", sort, METH_VARARGS, sort_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_compiled", "The compiled part of truetune.", 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__compiled(void)
{
    return PyModule_Create(&module);
}
