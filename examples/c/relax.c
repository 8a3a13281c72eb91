/* Solve Poisson's equation on a square by successive over-relaxation: relax OMEGA SWEEPS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N 120

static double u[N][N];

int main(int count, char **given) {
    if (count != 3) {
        fprintf(stderr, "usage: %s OMEGA SWEEPS\n", given[0]);
        return 2;
    }
    double omega = atof(given[1]), h2 = 1.0 / ((N - 1) * (N - 1));
    int sweeps = atoi(given[2]);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a line at a time, also into a file */
    for (int sweep = 1; sweep <= sweeps; sweep++) {
        double sum = 0;
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++) {
                double off = (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] + h2) / 4 - u[i][j];
                u[i][j] += omega * off;
                sum += off * off;
            }
        }
        if (sweep % 20 == 0)
            printf("sweep %4d   log10 of the residual: %9.5f\n", sweep, log10(sqrt(sum) + 1e-300));
    }
    return 0;
}
