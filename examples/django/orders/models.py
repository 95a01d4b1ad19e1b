"""Customers and their orders."""

from django.db import models


class Customer(models.Model):
    """Somebody who orders."""

    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=320)
    # The address in lower case. It may be empty as long as a release that does not write it may still run.
    email_key = models.CharField(max_length=320, null=True, db_index=True)

    def save(self, *args, **kwargs):
        self.email_key = self.email.lower()
        super().save(*args, **kwargs)


class Order(models.Model):
    """What somebody has ordered."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    placed_at = models.DateTimeField(auto_now_add=True)
