/* outfile.c - a file that is there completely or not at all, for readers that come at any time (Prometheus' textfile
 * collector, a browser). The new file is written beside the old one and renamed over it. */
#include "views.h"
#include "../ldr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a new file would get; the umask can only be read by setting it. */
static mode_t new_file_mode(void) {
    mode_t mask = umask(022);
    umask(mask);
    return 0666 & ~mask;
}

static bool open_in_place(struct outfile *out, const char *path) {
    out->path = must_format("%s", path);
    out->stream = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!out->stream) {
        warn_ldr("%s: %s", path, strerror(errno));
        free(out->path);
    }
    return out->stream != NULL;
}

bool outfile_open(struct outfile *out, const char *path) {
    *out = (struct outfile){ 0 };
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (strcmp(path, "-") == 0 || (there && !S_ISREG(st.st_mode)))
        return open_in_place(out, path);
    /* Another name of the same file would keep the old contents. */
    if (there && st.st_nlink > 1)
        return open_in_place(out, path);
    /* A symbolic link stays; the file it leads to is replaced. */
    char *real = there ? realpath(path, NULL) : NULL;
    out->path = real ? real : must_format("%s", path);
    size_t folder = (size_t)(file_name(out->path) - out->path);
    /* Not ending as the file does: collectors take every *.prom of their folder. */
    out->temporary = must_format("%.*s.%s.XXXXXX", (int)folder, out->path, out->path + folder);
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd >= 0 && fchmod(fd, there ? st.st_mode & 0777 : new_file_mode()) == 0 && (out->stream = fdopen(fd, "w")))
        return true;
    int error = errno;
    if (fd >= 0) {
        close(fd);
        unlink(out->temporary);
    }
    free(out->temporary);
    free(out->path);
    out->temporary = NULL;
    /* The file may be written to, and its folder not. */
    if (fd < 0 && there && (error == EACCES || error == EPERM || error == EROFS))
        return open_in_place(out, path);
    warn_ldr("%s: %s", path, strerror(error));
    return false;
}

bool outfile_commit(struct outfile *out) {
    /* stdout is closed by nobody here: later views and the command's own check of it follow */
    bool bad = fflush(out->stream) != 0 || ferror(out->stream);
    int error = errno;
    if (out->stream != stdout && fclose(out->stream) != 0 && !bad) {
        bad = true;
        error = errno;
    }
    if (!bad && out->temporary && rename(out->temporary, out->path) != 0) {
        bad = true;
        error = errno;
    }
    if (bad) {
        warn_ldr("%s: %s", out->path, strerror(error));
        if (out->temporary)
            unlink(out->temporary);
    }
    free(out->temporary);
    free(out->path);
    *out = (struct outfile){ 0 };
    return !bad;
}
